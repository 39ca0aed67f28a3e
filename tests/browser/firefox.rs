//! Scenes that other files tell, played once more in Firefox: meeting, talking, blocking, parting, a lost network, a
//! dead line, Back, and a browser that keeps nothing.

use crate::support::browser::in_firefox;

macro_rules! in_firefox {
    ($($place:ident :: $scene:ident,)*) => {
        $(
            #[test]
            fn $scene() {
                in_firefox(crate::$place::$scene);
            }
        )*
    };
}

in_firefox! {
    meeting::two_people_meet_and_talk,
    meeting::block_on_the_end_card_after_the_other_left,
    meeting::blocked_people_do_not_meet_again_and_cannot_tell,
    meeting::leaving_by_the_menu_ends_the_chat_but_keeps_it_readable,
    talking::a_reply_quotes_and_a_recall_erases_the_quote_too,
    talking::what_people_write_is_never_markup,
    returning::back_goes_home_and_the_bar_leads_back,
    returning::what_is_written_without_a_network_arrives_once,
    returning::opened_elsewhere_and_continued_here,
    dark_line::who_only_reads_is_connected_again,
    dark_line::a_way_that_lets_no_socket_through_is_named,
    in_between::what_was_written_in_a_room_that_is_no_more_is_shown,
    starting::a_browser_that_keeps_nothing_is_told_what_is_needed,
}
