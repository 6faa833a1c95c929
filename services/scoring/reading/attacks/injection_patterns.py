"""The patterns of ``injection_detector``, language by language; but for ``MARKS``, they expect lower case."""

import re

# ruff: noqa: E501 - a pattern reads best on one line

# Marks of turns of any model, and text that a browser would not show.
MARKS = re.compile(
    r"<\|?/?(?:start_of_turn|end_of_turn|im_start|im_end|endoftext|eot_id|start_header_id|system|assistant|model)\|?>"
    r"|\[/?INST\]|<<?/?SYS>>?"
    r"|^[ \t]*#{2,}\s*(?:instruction|response|system|assistant)s?\b.{0,3}$"
    r"|^[ \t]*(?:system|assistant|model|ai|llm|evaluator)\s*:\s*(?=.{0,80}\b(?:score|rat(?:e|ing)|100|candidate)\b)"
    r"|^[ \t]*(?:the )?(?:(?:final|match|fit|overall|resume|candidate|applicant)[ \t]+){0,3}(?:match|fit|resume|candidate|applicant|final)[ \t]+(?:score|rating)[ \t]*[:=][ \t]*\d{2,3}\b"
    # Alone on its line; below the name of a test it is that test's.
    r"|(?:\A|^(?![^\n]*\b(?:toefl|ielts|gre|gmat|sat|act|pte|lsat|mcat|gpa|exam\w*|test|certificat\w*)\b)[^\n]*\n)"
    r"[ \t]*(?:score|rating)[ \t]*[:=][ \t]*(?:100|9[5-9])(?:[ \t]*/[ \t]*100)?[ \t]*$"
    r"|<!--(?:(?!<!--).){0,200}?(?:score|rate|candidate|instruction)"
    r"|style\s*=\s*[\"'][^\"']{0,80}(?:display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0|"
    r"color\s*:\s*(?:white|#fff)|font-size\s*:\s*[01](?:px|pt)?\b)"
    r"|\\textcolor\s*\{\s*white"
    r"|^\[//\]: #",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)

# 1,100 and 2.100 are other numbers.
_HUNDRED = r"(?<![\d.,])(?:100|9[5-9])"
# "Top three" and "best practice" are honest; so are 100 courses, calls and units.
_TOP_WORD = (
    r"(?:one hundred|highest|maximum|max|perfect|top|full marks|excellent|best)\b"
    r"(?=\W{0,3}(?:possible|available|score|rating|mark|match|fit|grade|categor|candidate|[.!,;\"']|$))"
)
_TOP = rf"(?:{_HUNDRED}|{_TOP_WORD})"
_AS_A_SCORE = r"(?=\W{0,3}(?:points?|punkte?n?|puntos|pontos|punti|punten|punkt\w*|балл\w*|бал\w*|очк\w*|sur|von|out|av|из|[./!,;%\"']|$))"
_ENGLISH = (
    r"\b(?:ignore|disregard|forget|override|bypass)\b[^.\n]{0,30}\b(?:(?:all|any|previous|prior|above|earlier|your|these|"
    r"scoring|given)\b[^.\n]{0,30}\b(?:instructions?|prompts?|rubric|guidelines|criteria|directives?)|job description|"
    r"everything you|were told|scoring rubric)\b",
    r"\b(?:instructions?|prompts?|rules)\b[^.]{0,40}\b(?:no longer apply|are void|are cancell?ed)\b",
    r"\b(?:give|assign|award|grant|hand out|return|set|rate|score|grade|rank)\b[^.;]{0,60}"
    r"\b(?:candidate|applicant|resume|cv|document|profile|score|rating)\b[^.;]{0,60}"
    rf"(?:{_HUNDRED}\b(?!%)|\b{_TOP_WORD})",
    rf"\b(?:output|answer|respond|reply|write)\b[^.;]{{0,30}}\b(?:number|with|only|simply) {_TOP}",
    rf"\b(?:answer|simply write|output)(?: is)?:? {_HUNDRED}\b{_AS_A_SCORE}",
    r"\b(?:rate|score|grade|rank)\b[^.;]{0,20}\b(?:this|me|it|the above)\b[^.;]{0,40}"
    rf"(?:{_HUNDRED}\b|\b{_TOP_WORD})",
    r"\b(?:this|the) (?:candidate|applicant|resume|cv|person|profile)\b[^.;]{0,60}\b(?:must|should|has to|have to)\b"
    r"[^.;]{0,40}\b(?:scor\w+|rat(?:e|ed|ing)|ranked|recommend\w*|highest)\b",
    r"\b(?:if you are|you are|note to|dear|attention|to)\b[^.;]{0,30}"
    r"\b(?:ai|llm|language model|screening (?:system|software)|automated system|evaluator model)\b[^.]{0,80}"
    r"\b(?:rate|score|grade|recommend|must|treat|give|rank)\b",
    r"\b(?:score|result|rating|answer)\b[^.;]{0,40}\b(?:has to be|must be|should be|shall be|needs to be)\b (?:exactly )?"
    r"(?:100|9[5-9]|one hundred)\b(?! ?%)",
    r"\b(?:your|correct|right|only|final|resume|candidate)\b (?:possible |correct |right |fit )?(?:score|result|rating|answer)\b"
    r"[^.;]{0,20}\bis\b (?:exactly )?(?:100|9[5-9]|one hundred)\b(?! ?%)",
    r"\bdo not compare\b[^.]{0,40}\b(?:resume|job)\b",
    r"\b(?:must|should) (?:receive|get|be given|be assigned|be awarded)\b[^.;]{0,30}\b(?:score|rating|mark)\b",
    r"\bmust not be (?:scored|rated)\b",
    r"\balways (?:assign|answer|give|output|respond)\b[^.]{0,40}\b(?:rating|score|100|maximum)\b",
    r"\byou (?:must|should|will|have to)\b[^.;]{0,20}\b(?:give|recommend|rate|score|rank|assign)\b[^.;]{0,40}"
    r"\b(?:applicant|candidate|resume|cv)\b",
    r"\bscore for this (?:resume|candidate|applicant|cv)\b",
    r"\b(?:match score|fit score)\s*:\s*\d",
)
_OTHERS = (
    # German
    r"\b(?:ignorier\w*|vergiss|vergessen sie|missachte\w*)\b[^.]{0,50}\b(?:anweisung\w*|stellenbeschreibung|vorgaben)\b",
    rf"\b(?:bewerte\w*|gib|geben sie|vergib)\b[^.]{{0,60}}(?:höchst\w*|(?<![\d.,])100\b{_AS_A_SCORE}|volle punktzahl|maximal\w*)",
    # French
    r"\b(?:ignore[zr]?|oublie[zr]?) (?:toutes?|tout|les|le|la|ces|vos)\b[^.]{0,50}\b(?:instructions|consignes|descriptif|description du poste)\b",
    rf"\b(?:donne[zr]?|attribue[zr]?|évalue[zr]?|note[zr]?)\b[^.]{{0,60}}(?:(?<![\d.,])100\b{_AS_A_SCORE}|(?:note|score) maxim\w*)",
    # Spanish and Portuguese
    r"\b(?:ignor[ae]n?|olvid[ae]|esqueça|desconsidere)\b[^.]{0,50}\b(?:instrucciones|instruções|descripción del puesto|"
    r"descrição da vaga)\b",
    r"\b(?:asign[ae]|califi(?:ca|que)|puntúa|dê|avalie|atribua|da)\b[^.]{0,60}"
    rf"(?:(?<![\d.,])100\b{_AS_A_SCORE}|(?:nota|puntuación|pontuação) máxima)",
    # Italian
    r"\b(?:ignora(?:te)?|dimentica(?:te)?)\b[^.]{0,50}\b(?:istruzioni|descrizione del (?:lavoro|posto))\b",
    rf"\b(?:assegna(?:te)?|valuta(?:te)?|dai)\b[^.]{{0,60}}(?:(?<![\d.,])100\b{_AS_A_SCORE}|punteggio massimo)",
    # Dutch
    r"\b(?:negeer|vergeet)\b[^.]{0,50}\b(?:instructies|functiebeschrijving|vacature)\b",
    rf"\b(?:geef|beoordeel)\b[^.]{{0,60}}(?:(?<![\d.,])100\b{_AS_A_SCORE}|hoogste score)",
    # Polish
    r"\b(?:z?ignoruj\w*|zapomnij)\b[^.]{0,50}\b(?:instrukcj\w*|opisie stanowiska|polece\w*)\b",
    rf"\b(?:daj|oceń|przyznaj)\b[^.]{{0,60}}(?:(?<![\d.,])100\b{_AS_A_SCORE}|najwyższ\w+)",
    # Russian and Ukrainian
    r"\b(?:игнорируй\w*|забудь\w*|ігноруй\w*)\b[^.]{0,50}\b(?:инструкци\w*|інструкці\w*|описание вакансии|опис вакансії|указания)",
    rf"\b(?:постав\w*|оцени\w*|оціни\w*|присвой\w*)\b[^.]{{0,60}}(?:(?<![\d.,])100\b{_AS_A_SCORE}|максимальн\w+)",
    # Turkish
    r"(?:talimat\w*|iş tanımını|ilanı)[^.]{0,30}(?:yok say|görmezden gel|unut)",
    r"(?:\b100 puan|en yüksek puan\w*)\s+ver",
    # Arabic
    r"(?:تجاهل|انس|انسى)[^.]{0,50}(?:التعليمات|وصف الوظيفة)",
    r"(?:امنح|قيّم|قيم|أعط)[^.]{0,60}(?:100|أعلى درجة)",
    # Hindi
    r"(?:निर्देश\S*|विवरण)[^।]{0,40}(?:अनदेखा|भूल)",
    r"(?:100|अधिकतम) अंक",
)
_BOUNDARY = r"\b"
_FROM_A_WORD = [phrase for phrase in (*_ENGLISH, *_OTHERS) if phrase.startswith(_BOUNDARY)]
# One boundary in front of all of them, instead of one in each: most places in a text then fail at the first
# step, and the search takes a third of the time.
PHRASES = re.compile(
    rf"\b(?:{'|'.join(phrase.removeprefix(_BOUNDARY) for phrase in _FROM_A_WORD)})|"
    + "|".join(phrase for phrase in _OTHERS if not phrase.startswith(_BOUNDARY))
)

# Chinese, Japanese and Korean, where words do not end in spaces.
PHRASES_WITHOUT_SPACES = re.compile(
    "(?:忽略|无视|忘记|忘掉)[^。]{0,20}(?:指令|指示|职位描述|要求)"
    "|(?:打|评为|给)[^。]{0,12}(?:100 ?分|满分|最高分)"
    "|(?:指示|求人内容|命令)[^。]{0,12}(?:無視|忘れ)"
    "|(?:100点|最高点|満点)[^。]{0,10}(?:付け|評価|与え)"
    "|(?:지시|명령|채용 공고)[^.]{0,12}(?:무시|잊)"
    "|(?:100점|최고 점수|만점)[^.]{0,10}(?:주|평가)"
)

# Cyrillic and Greek letters by the Latin ones that they look like.
LOOK_ALIKES = str.maketrans(
    "асеіорѕхуАСЕНІКМОРТХ" + "οαεικνρτυχΑΒΕΗΙΚΜΝΟΡΤΧ", "aceiopsxyACEHIKMOPTX" + "oaeiknptuxABEHIKMNOPTX"
)
