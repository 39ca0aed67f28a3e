// First sentences for people who do not know how to begin, in both languages side
// by side: [zh-TW, en]. By topic, by mood, and for all; `{tag}` stands for a topic
// of a person's own. Which of them are shown is model/starters.js.
//
// Each can be answered in one line, asks for nothing that tells who or where a
// person is, and reads as if it were typed.

/** @typedef {[zhTW: string, en: string]} Starter */

/** @type {Record<string, Starter[]>} by the topic both like */
export const startersOfTag = {
  音樂: [
    ['最近單曲循環哪一首？', 'What song is on repeat for you lately?'],
    ['第一次聽現場是聽誰的？', 'Who was the first act you saw live?'],
    ['推薦我一首下雨天的歌？', 'Give me one song for a rainy day?'],
    ['哪一首歌你一聽就會跟著唱？', 'Which song do you always end up singing along to?'],
    ['睡前你都放什麼來聽？', 'What do you play before you fall asleep?'],
    ['有沒有一首歌，一聽就回到某一年？', 'Is there a song that takes you straight back to one year?'],
    ['KTV 你必點哪一首？', 'What’s your go-to karaoke song?'],
    ['會彈什麼嗎？不會的話想學哪一個？', 'Do you play anything? If not, what would you pick?'],
    ['今天耳機裡的第一首是什麼？', 'What was the first thing in your headphones today?'],
  ],
  電影: [
    ['哪一部看完之後，你還一直想著？', 'Which film are you still thinking about?'],
    ['有沒有哪一部你看過三次以上？', 'Is there one you have seen three times or more?'],
    ['上次在電影院看的是哪一部？', 'What did you last see in a cinema?'],
    ['哪一部大家都愛，你卻看不下去？', 'Which film do all your friends love and you can’t finish?'],
    ['今晚只能看一部的話，你選哪部？', 'Only one film tonight: which one?'],
    ['你看電影會哭嗎？上次是哪一部？', 'Do films make you cry? Which one was the last?'],
    ['爆米花，甜的還是鹹的？', 'Popcorn: sweet or salty?'],
    ['哪個角色有一點像你？', 'Which character is a little like you?'],
  ],
  旅行: [
    ['上一次出遠門是去哪裡？', 'Where did your last trip take you?'],
    ['現在突然多三天假，你去哪？', 'Three days off, starting now: where do you go?'],
    ['山上還是海邊？', 'Mountains or the sea?'],
    ['有沒有哪裡，你想再去一次？', 'Is there a place you’d go back to?'],
    ['出門玩你一定會帶什麼？', 'What do you always pack?'],
    ['你會排行程，還是走到哪算哪？', 'Do you plan it all, or just wander?'],
    ['有沒有一次迷路，反而很好玩？', 'Ever been lost in a good way?'],
    ['旅行中吃過最難忘的是什麼？', 'What’s the best thing you ever ate on a trip?'],
  ],
  美食: [
    ['今天晚餐吃什麼？', 'What was dinner today?'],
    ['宵夜，鹹酥雞還是豆花？', 'Late-night snack: salty or sweet?'],
    ['有沒有哪一道，你吃一輩子也不膩？', 'Is there a dish you could eat for ever?'],
    ['你最會煮的是哪一道？', 'What do you cook best?'],
    ['香菜，你站哪一邊？', 'Coriander: for or against?'],
    ['珍奶你都喝幾分糖？', 'Tea, coffee or bubble tea, and how sweet?'],
    ['小時候愛吃、現在還在吃的零食是？', 'Which childhood snack do you still eat?'],
    ['泡麵你會加什麼進去？', 'What goes into your instant noodles?'],
    ['這禮拜吃到最好吃的一口是什麼？', 'What was your best bite this week?'],
  ],
  運動: [
    ['這禮拜動了嗎？做了什麼？', 'Did you get moving this week? Doing what?'],
    ['你是早上動的人，還是晚上？', 'Do you exercise in the morning or at night?'],
    ['看比賽你都幫誰加油？', 'Who do you cheer for?'],
    ['你最早學會的運動是哪一種？', 'What was the first sport you learnt?'],
    ['有沒有哪一種，想學很久了還沒開始？', 'Is there one you’ve wanted to try and haven’t yet?'],
    ['跑步的時候你都在想什麼？', 'What do you think about when you run?'],
    ['有沒有一場比賽，你記到現在？', 'Is there a match you still remember?'],
    ['流完汗，第一口喝什麼？', 'After a workout, what’s the first thing you drink?'],
  ],
  遊戲: [
    ['最近在玩哪一款？', 'What are you playing lately?'],
    ['第一款讓你熬夜的是什麼？', 'Which game first kept you up all night?'],
    ['你喜歡自己玩，還是找人一起？', 'Do you play alone or with friends?'],
    ['卡最久的是哪一關？', 'Which level held you up the longest?'],
    ['哪款的音樂，你沒在玩也會聽？', 'Is there a game soundtrack you listen to on its own?'],
    ['坦、補、輸出，你都玩哪個？', 'Tank, healer or damage?'],
    ['有沒有一款，你想忘掉再玩一次？', 'Which game would you like to forget and play again?'],
    ['桌遊的話，你最拿手哪一個？', 'Any board game you’re good at?'],
  ],
  閱讀: [
    ['床頭現在放著哪一本？', 'What’s on your bedside table right now?'],
    ['哪一本你一直推薦給別人？', 'Which book do you keep recommending?'],
    ['紙本還是電子書？', 'Paper or e-reader?'],
    ['上一本停不下來的是哪本？', 'What was the last book you couldn’t put down?'],
    ['有沒有一句話，你一直記得？', 'Is there a line you have never forgotten?'],
    ['哪一本你看到一半就放棄了？', 'Which book did you give up halfway?'],
    ['小時候最喜歡的故事是什麼？', 'What was your favourite story as a child?'],
    ['你會摺頁角，還是夾書籤？', 'Do you fold the corner or use a bookmark?'],
  ],
  攝影: [
    ['你最近拍的一張是什麼？', 'What’s in the last photo you took?'],
    ['你用手機拍，還是用相機？', 'Phone or camera?'],
    ['你最喜歡拍什麼？', 'What do you like to photograph most?'],
    ['早上的光還是傍晚的光？', 'Morning light or evening light?'],
    ['有沒有一張，你捨不得刪？', 'Is there a photo you can’t bring yourself to delete?'],
    ['拍過底片嗎？', 'Have you ever shot on film?'],
    ['上次為了拍照停下來，是看到什麼？', 'What last made you stop to take a picture?'],
    ['黑白還是彩色？', 'Black and white, or colour?'],
  ],
  藝術: [
    ['最近看了什麼展覽嗎？', 'Seen any exhibition lately?'],
    ['你會畫畫嗎？都畫些什麼？', 'Do you draw? What, mostly?'],
    ['哪一件作品，你站在前面看了很久？', 'Which work did you stand in front of the longest?'],
    ['你房間牆上掛了什麼？', 'What’s on your wall?'],
    ['現在給你一盒顏料，先畫什麼？', 'Someone hands you paints right now: what do you paint first?'],
    ['最近喜歡哪一個顏色？', 'Which colour are you into lately?'],
    ['自己做過的東西，最滿意哪一個？', 'Of all you have made, what do you like best?'],
    ['有沒有哪件作品，看不懂但很喜歡？', 'Is there a work you don’t get at all but love?'],
  ],
};

/** @type {Starter[]} about a topic that is not one of ours */
export const startersOfOwnTag = [
  ['你是怎麼開始喜歡{tag}的？', 'How did you get into {tag}?'],
  ['說到{tag}，你第一個想到什麼？', '{tag}: what comes to mind first?'],
  ['你喜歡{tag}多久了？', 'How long have you been into {tag}?'],
  ['{tag}你最喜歡哪個部分？', 'What do you like best about {tag}?'],
  ['身邊有人也喜歡{tag}嗎？', 'Do any of your friends like {tag} too?'],
  ['{tag}新手的話，你會先推薦什麼？', 'Where would you tell a beginner to start with {tag}?'],
  ['{tag}最近有什麼新鮮事嗎？', 'Anything new in {tag} lately?'],
  ['用一句話說{tag}哪裡好，你會怎麼說？', 'One line: what’s good about {tag}?'],
];

/** @type {Record<string, Starter[]>} by how the partner feels today */
export const startersOfMood = {
  happy: [
    ['今天有什麼好事嗎？', 'What good thing happened today?'],
    ['開心的事，分我一點？', 'Can I have a bit of that good mood?'],
    ['今天最好笑的一件事是什麼？', 'What’s the funniest thing that happened today?'],
    ['是誰讓你今天心情這麼好？', 'Who made your day?'],
    ['今天有什麼，你想記下來？', 'What from today would you write down?'],
    ['開心的時候你都做什麼？', 'What do you do when you’re happy?'],
    ['今天給自己打幾分？', 'How many out of ten for today?'],
    ['這禮拜最期待哪一天？', 'Which day this week are you looking forward to?'],
  ],
  neutral: [
    ['今天過得怎樣，用三個字說？', 'Your day in three words?'],
    ['今天有沒有什麼小事，讓你笑了一下？', 'Did any small thing make you smile today?'],
    ['你剛剛在做什麼？', 'What were you doing just now?'],
    ['平常這個時間，你都在幹嘛？', 'What do you usually do at this hour?'],
    ['今天吃到什麼好吃的嗎？', 'Eat anything good today?'],
    ['窗外現在是什麼聲音？', 'What can you hear outside right now?'],
    ['今天幾點才坐下來喘口氣？', 'When did you first get to sit down today?'],
    ['明天有什麼打算嗎？', 'Any plans for tomorrow?'],
  ],
  sad: [
    ['今天怎麼了？想說的話，我在聽。', 'Rough day? I’m listening, if you want to tell.'],
    ['想聊點別的，還是想抱怨一下？', 'Something light, or would you rather vent?'],
    ['今天有好好吃飯嗎？', 'Did you get to eat something today?'],
    ['難過的時候，做什麼會好一點？', 'What helps on a day like this?'],
    ['今天有沒有一件沒那麼糟的事？', 'Was there one thing today that wasn’t so bad?'],
    ['現在最想待在哪裡？', 'Where would you rather be right now?'],
    ['有沒有一首歌，這種時候會陪你？', 'Is there a song that keeps you company on days like this?'],
    ['不想說也沒關係，我先講一件小事？', 'No need to explain. Shall I tell you something small first?'],
  ],
};

/** @type {Starter[]} */
export const startersForAll = [
  ['嗨，今天過得好嗎？', 'Hi, how was your day?'],
  ['你是夜貓子，還是早起的人？', 'Night owl or early bird?'],
  ['明天放假的話，第一件事做什麼？', 'If tomorrow were a day off, what would you do first?'],
  ['貓派還是狗派？', 'Cats or dogs?'],
  ['最近學會了什麼新東西？', 'Learnt anything new lately?'],
  ['上次大笑，是因為什麼？', 'What last made you laugh out loud?'],
  ['咖啡還是茶？', 'Coffee or tea?'],
  ['理想的星期五晚上是什麼樣子？', 'What does a good Friday night look like for you?'],
  ['今天看到最漂亮的東西是什麼？', 'What’s the prettiest thing you saw today?'],
];
