/** A discussion: the day it began, and who said what. `teacher` is the course's own. */
export type ThreadText = {
  slug: string;
  title: string;
  daysAgo: number;
  isPinned?: boolean;
  isLocked?: boolean;
  /** Numbers stand for students of the course, whoever they are. */
  said: [who: number | 'teacher' | 'student' | 'student2', text: string][];
};

/** What is said in the demo courses' discussions. */
export const THREADS: ThreadText[] = [
  {
    slug: 'practical-sql',
    title: 'Start here: what brings you to SQL?',
    daysAgo: 62,
    isPinned: true,
    said: [
      [
        'teacher',
        'Welcome! Tell us in two sentences what you would like to be able to ask a database by the end. I will come back to your questions in the workshops.',
      ],
      [
        0,
        'I run the volunteer roster for a food bank and everything is in one enormous spreadsheet. I want to know who hasn’t been asked in a while, without sorting by colour.',
      ],
      [1, 'Product manager, tired of waiting three days for “a quick number”.'],
      [2, 'My sister said if I can do VLOOKUP I can do joins. We’ll see.'],
      [
        'teacher',
        'Your sister is right, and joins are easier to check than VLOOKUP. Hold her to it in module 2.',
      ],
      [
        'student',
        'I’m a nurse moving into health data. I’d like to read other people’s queries without being scared of them.',
      ],
    ],
  },
  {
    slug: 'practical-sql',
    title: 'count(*) says 1 for members without loans??',
    daysAgo: 13,
    said: [
      [
        'student',
        'In the left join lesson I get `at_home = 1` for people who never borrowed anything. My query:\n\n```sql\nselect members.name, count(*) as at_home\nfrom members\nleft join loans on loans.member_id = members.id and loans.returned_on is null\ngroup by members.id;\n```\n\nI’m sure the answer is in the lesson, I just can’t see it.',
      ],
      [3, 'I had exactly this. The row made of nulls is still a row, and `count(*)` counts rows.'],
      ['student', 'Ohh. So `count(loans.id)` because that one is null there. Thank you!'],
      [
        'teacher',
        'Well explained. A trick for the future: run it without `group by` first and look at the rows that will be piled up. The odd one is visible at once.',
      ],
      [
        4,
        'Wish someone had told me that in my last job. We reported one too many for about two years.',
      ],
    ],
  },
  {
    slug: 'practical-sql',
    title: 'Question 4 (books borrowed by the same person): my attempt',
    daysAgo: 5,
    said: [
      [
        5,
        'It works but it’s slow on the big file, about nine seconds:\n\n```sql\nselect a.book_id, b.book_id, count(*)\nfrom loans a join loans b on a.member_id = b.member_id and a.book_id <> b.book_id\ngroup by 1, 2 order by 3 desc limit 2;\n```',
      ],
      [
        6,
        'With `<>` every pair comes twice, (A,B) and (B,A). That’s also why your top two rows are the same two books :)',
      ],
      [5, 'Ha. I thought it was a tie.'],
      [
        'teacher',
        '`a.book_id < b.book_id` halves the work and mends the answer. And should somebody who borrowed the same two books five times count five times, or once? Both are good questions, but they are different ones.',
      ],
    ],
  },
  {
    slug: 'probability-without-tears',
    title: 'Three doors: I still don’t believe it',
    daysAgo: 19,
    said: [
      [0, 'I read the table. I understand the table. I don’t believe the table.'],
      [
        1,
        'Make it a hundred doors. You pick one, the host opens 98 goats and leaves one other door shut. Do you really think yours is as good as that one?',
      ],
      [0, '…no. Okay, that did something.'],
      [
        2,
        'I played it 60 times with my daughter and three cups. Changing won 41. She now changes her mind about everything.',
      ],
      [
        'teacher',
        '41 where 40 were to be expected. Come back after “How far off is normal?” and tell us if you should be suspicious of your daughter.',
      ],
    ],
  },
  {
    slug: 'probability-without-tears',
    title: 'Is the square root rule also good for percentages in surveys?',
    daysAgo: 4,
    said: [
      [3, 'If 400 of 1,000 people say yes, is it 400 ± 20?'],
      [
        'teacher',
        'Nearly: when the share isn’t small the deviation is less, √(1000 × 0.4 × 0.6) ≈ 15.5. So 40% ± 1.5 points, and most polls quote twice that. Your rule errs on the safe side.',
      ],
      [4, 'So two parties at 31 and 29 in a poll of 1,000 are just… the same?'],
      ['teacher', 'The poll can’t tell them apart. Which won’t stop the headline.'],
    ],
  },
  {
    slug: 'writing-clearly',
    title: 'Post one sentence, get it back shorter',
    daysAgo: 40,
    isPinned: true,
    said: [
      [
        'teacher',
        'One sentence from something you really wrote. Others cut it. Be kind to people and merciless to words.',
      ],
      [
        0,
        '“We would like to take this opportunity to inform you that, due to unforeseen circumstances, the pool will not be in a position to open on Monday.”',
      ],
      ['student', 'The pool is closed on Monday.'],
      [
        1,
        'And say why, or people will ring: “The pool is closed on Monday while we repair a pump.”',
      ],
      [
        2,
        '“It is important to note that the data shows a trend towards increased attendance.” (mine, sorry)',
      ],
      [
        'student',
        '“More people came.” But how many more? I think the long version was hiding that we don’t know.',
      ],
      ['teacher', 'Frame that last sentence, please.'],
    ],
  },
  {
    slug: 'writing-clearly',
    title: 'Passive voice: never?',
    daysAgo: 8,
    said: [
      [
        3,
        'My boss deletes every passive. Is “the bridge was built in 1886” really worse than “somebody built the bridge in 1886”?',
      ],
      [
        'teacher',
        'No. If the bridge is the subject of your paragraph, keep it as the subject of your sentence. Beware of the passive that hides someone: “mistakes were made”.',
      ],
      [
        4,
        'The test I use: can I add “by zombies”? Then ask if I’d want to know who the zombies were.',
      ],
    ],
  },
  {
    slug: 'drawing-what-you-see',
    title: 'Upside-down drawings: show yours',
    daysAgo: 16,
    said: [
      [
        0,
        'I didn’t know that I could do this. The hands are better than any hands I’ve drawn the right way up.',
      ],
      ['student2', 'Mine leans to the left, everything. Is that my paper or my head?'],
      [
        'teacher',
        'Usually it’s the paper: if it lies flat, you see the far half shortened. Prop the board up so that you look straight at it.',
      ],
      ['student2', 'It was the paper!'],
      [1, 'It took me 50 minutes and I forgot my tea.'],
    ],
  },
  {
    slug: 'drawing-what-you-see',
    title: 'Which pencils do I actually need?',
    daysAgo: 33,
    isLocked: true,
    said: [
      [2, 'The shop has sets of 24. Do I need 24?'],
      ['teacher', 'HB, 2B, 6B, and a kneadable eraser. With the change, buy paper.'],
    ],
  },
  {
    slug: 'bread-a-small-science',
    title: 'Dough like soup at 75% hydration',
    daysAgo: 11,
    said: [
      [
        'student2',
        'Followed the recipe to the gram. It won’t hold any shape at all. Kitchen is 27 °C at the moment if that matters.',
      ],
      [
        'teacher',
        'It matters most of all: at 27° your dough is ready in two thirds of the time. I think it was past its best when you shaped it. Use cooler water (say 15°) and look at it after two hours.',
      ],
      [
        0,
        'Also check your flour, mine was 9% protein, basically cake flour. Switched to 12.5% and it was a different animal.',
      ],
      [
        'student2',
        'Cooler water and 70%. Look at this ear! (I’ll post the picture once I’ve stopped eating it.)',
      ],
      [1, 'This is the most wholesome thread on the internet.'],
    ],
  },
  {
    slug: 'bread-a-small-science',
    title: 'Can I feed a starter with wholemeal only?',
    daysAgo: 2,
    said: [
      [2, 'White flour is sold out everywhere here. Will it sulk?'],
      [3, 'Mine lives on rye. It’s faster and smells of apples.'],
      [
        'teacher',
        'It’ll love it. Feed it a little earlier than usual, there is more to eat for the sour-makers and it gets acid sooner.',
      ],
    ],
  },
];

/** Direct messages: days ago, from, to, text. The last of a conversation may be unread. */
export const DIRECT_MESSAGES: {
  with: ['student' | 'student2' | 'marta' | 'tomas', 'student' | 'student2' | 'marta' | 'tomas'];
  daysAgo: number;
  unread?: number;
  said: string[];
}[] = [
  {
    with: ['student', 'marta'],
    daysAgo: 9,
    unread: 1,
    said: [
      'Hello Marta, is it alright if I use our ward’s (anonymised) shift table for the exercises instead of the library?',
      'That’s a lovely idea. Check with whoever owns the data, even if it is anonymised, and start with not more than three tables.',
      'They said yes. I found out that we have two different ways to spell “night shift”.',
      'Only two? You are among the lucky ones. Bring it to the workshop on messy data, if you like.',
    ],
  },
  {
    with: ['student2', 'tomas'],
    daysAgo: 10,
    said: [
      'Sorry to bother you, how long does the starter survive in the fridge? I’m away for three weeks.',
      'Three weeks is fine. Feed it, leave it out for an hour, then into the fridge. Pour off the grey liquid when you are back and feed it twice.',
      'Thank you! I asked my flatmate to talk to it too.',
    ],
  },
  {
    with: ['student', 'student2'],
    daysAgo: 3,
    unread: 2,
    said: [
      'Hey Jonas, are you the one with the leaning drawings? Your thread made me want to take that course.',
      'That’s me, leaning no more. Do it! Free too. I’m thinking about SQL, is it heavy?',
      'Twenty minutes in the evening, mostly. The nulls lesson hurt a bit.',
      'Sold. If I get stuck I know who to write to :)',
      'Also: do you still have the link to the workshop?',
    ],
  },
];

/** What students write about the courses, by stars. */
export const REVIEWS: Record<string, [rating: number, comment: string][]> = {
  'practical-sql': [
    [
      5,
      'The first explanation of joins that survived contact with my own data. I keep the lesson on averages open at work.',
    ],
    [5, 'Short lessons, no fluff, and the exercises are questions somebody would really ask.'],
    [4, 'Very good. I’d have liked a few more exercises on window functions, it gets steep there.'],
    [
      5,
      'I found a mistake in our monthly report on day four. My colleagues were less delighted than I was.',
    ],
    [4, 'Clear, and a little dry in places. The discussion makes up for it.'],
    [3, 'Good content, but I had hoped for more on designing tables from scratch.'],
    [5, ''],
  ],
  'probability-without-tears': [
    [
      5,
      'I failed statistics twice. Counting people instead of percentages is what I needed back then.',
    ],
    [5, 'Three doors, birthdays, the medical test: I knew the riddles, now I know why.'],
    [4, 'Lovely writing. Throwing dice 36 times is more fun than it sounds.'],
    [2, 'Too slow for me, I was expecting formulas. Fair enough, it does say so.'],
    [5, 'The lesson on regression to the mean has changed how I talk to my football team.'],
  ],
  'writing-clearly': [
    [5, 'My e-mails are half as long and people answer them.'],
    [4, 'Practical, no grammar-policing. The sentence thread is gold.'],
    [5, 'I’ve read thick books on style that taught me less.'],
    [4, 'Good for reports. Less for fiction, but it doesn’t claim otherwise.'],
  ],
  'drawing-what-you-see': [
    [5, 'I was sure I couldn’t draw. There is a drawing of my shoe on the fridge now.'],
    [5, 'Tomás answers everything, and sees at once what went wrong.'],
    [3, 'Nice exercises, but I’d need videos for some of it.'],
    [4, 'Do the upside-down drawing. Just do it.'],
  ],
  'bread-a-small-science': [
    [5, 'It explains why, so I can mend a recipe by myself. Best loaf of my life in week three.'],
    [5, 'Percentages for bakers finally make sense.'],
    [4, 'Excellent, though my kitchen scale didn’t survive.'],
    [1, 'I wanted recipes. There are about two.'],
    [5, 'Read it for the science, stayed for the crust.'],
  ],
};
