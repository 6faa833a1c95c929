"""The words that ``tests.work_set`` builds jobs and resumes from. ``{n}`` stands for a number."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Occupation:
    """What jobs and resumes of one occupation are made of."""

    titles: tuple[str, ...]
    employers: tuple[str, ...]
    duties: tuple[str, ...]
    demands: tuple[str, ...]
    achievements: tuple[str, ...]
    skills: tuple[str, ...]
    degree: str


OCCUPATIONS: tuple[Occupation, ...] = (
    Occupation(
        ("Backend Engineer", "Senior Software Engineer", "Platform Engineer"),
        ("Bluepeak Software", "Tidal Ledger", "Orchard Cloud"),
        (
            "Design and run services in Python and Go that handle {n} million requests a day",
            "Review designs and code, and share the on-call rotation with {n} colleagues",
            "Move batch jobs to event-driven processing with clear delivery guarantees",
            "Improve the schema and the slowest queries of a large PostgreSQL cluster",
            "Write short design documents and agree on interfaces with partner teams",
            "Automate deployments and cut the time from commit to production",
        ),
        (
            "At least {n} years of backend development in production",
            "Solid SQL and experience with a message broker such as Kafka",
            "Containers, Kubernetes and infrastructure as code",
            "Metrics, traces and logs that made a real outage shorter",
            "Experience with gRPC or another typed interface language",
        ),
        (
            "Rebuilt the billing service as {n} small consumers and cut duplicate charges to zero",
            "Reduced the 95th percentile of search from 900 to {n}0 milliseconds",
            "Moved {n}0 services to Kubernetes without a planned outage",
            "Mentored {n} junior engineers and led the interview training",
            "Wrote the on-call handbook after {n} incidents in one quarter",
            "Replaced nightly exports by change data capture for {n} downstream teams",
        ),
        ("Python", "Go", "PostgreSQL", "Kafka", "Kubernetes", "Terraform", "gRPC", "Redis"),
        "B.S. in Computer Science",
    ),
    Occupation(
        ("Registered Nurse", "Intensive Care Nurse", "Charge Nurse"),
        ("Riverbend Hospital", "St. Clement Medical Center", "Lakeside Clinic"),
        (
            "Care for {n} patients a shift and adjust the plan of care as they change",
            "Give medication and blood products by protocol and watch for reactions",
            "Teach patients and families before discharge and answer their calls",
            "Take part in rapid response and in the daily rounds of the ward",
            "Precept new graduates during their first {n}0 shifts",
            "Document promptly in the electronic health record",
        ),
        (
            "Current registered nurse license and {n} years of acute care",
            "Basic and advanced life support certification",
            "Willingness to work nights and every third weekend",
            "Experience with telemetry, central lines and infusion pumps",
            "Calm and clear communication under pressure",
        ),
        (
            "Cared for {n} critically ill adults a shift on a 24-bed unit",
            "Led a falls project that lowered injuries by {n}0 percent in a year",
            "Trained {n}5 colleagues during the change to a new record system",
            "Set up or managed {n}0 dialysis treatments at the bedside",
            "Preceptor to {n} new graduates, all still on the ward",
            "Relief charge nurse for {n} shifts a month",
        ),
        ("telemetry", "ventilator care", "wound care", "IV therapy", "triage", "patient teaching", "Epic"),
        "Bachelor of Science in Nursing",
    ),
    Occupation(
        ("Financial Analyst", "Senior Accountant", "Controller"),
        ("Harrow Consumer Brands", "First Valley Bank", "Summit Manufacturing"),
        (
            "Prepare the monthly report by working day {n} and explain what drove it",
            "Maintain the rolling forecast of {n} product lines with sales and supply",
            "Model prices, promotions and investments, with their risks",
            "Replace manual spreadsheets by queries and dashboards",
            "Support the quarterly close and the questions of the auditors",
            "Present results to managers who are not from finance",
        ),
        (
            "Degree in finance, accounting or economics and {n} years of practice",
            "Advanced Excel, solid SQL and an ERP system such as SAP",
            "Knowledge of standard costing and revenue recognition",
            "CPA or CMA, completed or in progress",
            "Reliable work at month end",
        ),
        (
            "Shortened the monthly close from 14 to {n} working days",
            "Lowered the forecast error of operating cost to {n} percent",
            "Built a driver model that delayed a needless investment of ${n} million",
            "Replaced {n}0 manual exports and saved a day a week",
            "Prepared the schedules for {n} audits without an adjustment",
            "Found ${n}00,000 of duplicate supplier payments",
        ),
        ("Excel", "SQL", "SAP", "Power BI", "Anaplan", "budgeting", "variance analysis", "IFRS"),
        "B.S. in Accounting and Finance",
    ),
    Occupation(
        ("Mechanical Design Engineer", "Manufacturing Engineer", "Maintenance Engineer"),
        ("Northgate Robotics", "Lakeshore Packaging", "Ironbridge Pumps"),
        (
            "Design gearboxes, frames and sheet metal from sketch to released drawing",
            "Plan prototype builds and endurance tests of {n},000 hours",
            "Own tolerances and failure mode analyses of {n} assemblies",
            "Agree with suppliers on castings, molded parts and their inspection",
            "Support the line during ramp-up and find root causes of failures",
            "Reduce cost and weight of current products every year",
        ),
        (
            "Degree in mechanical engineering and {n} years of product design",
            "Expert use of SolidWorks or a comparable CAD system",
            "Geometric dimensioning, tolerance analysis and finite elements",
            "Experience with machining, casting and welding suppliers",
            "Some programming for tests and data analysis",
        ),
        (
            "Released {n}0 drawings for a drive unit that is now built 6,000 times a year",
            "Cut the weight of a lifting frame by {n} kilograms at the same strength",
            "Solved a bearing failure that had stopped {n} customers",
            "Lowered scrap on the bending line from 1{n} to 2 percent",
            "Qualified {n} suppliers with first article inspections",
            "Designed {n}0 assembly fixtures and printed most of them in house",
        ),
        ("SolidWorks", "GD&T", "FEA", "sheet metal", "injection molding", "FMEA", "MATLAB", "lean"),
        "B.S. in Mechanical Engineering",
    ),
    Occupation(
        ("Secondary School Teacher", "Mathematics Teacher", "Curriculum Coordinator"),
        ("Maple Street School", "Westfield Academy", "Harbor Charter School"),
        (
            "Teach {n} classes of mathematics and science in grades 8 to 12",
            "Plan lessons for learners of different strengths and languages",
            "Talk with families early and keep careful records of progress",
            "Develop common assessments with {n} colleagues",
            "Advise a student club or coach a team",
            "Use data from tests to form small support groups",
        ),
        (
            "State teaching license and {n} years in the classroom",
            "Experience with inclusive teaching and individual plans",
            "Confidence with digital boards and learning platforms",
            "Endorsement for English learners or special education",
            "Warm, firm and consistent leadership of a class",
        ),
        (
            "Raised the pass rate of ninth grade algebra by {n}2 points in two years",
            "Started a robotics club that grew to {n}0 students",
            "Wrote a statistics unit now used by {n} schools",
            "Coached {n} new teachers through weekly visits",
            "Won a grant of ${n},000 for laboratory equipment",
            "Organized {n} family evenings with interpreters",
        ),
        ("lesson planning", "assessment", "inclusion", "Google Classroom", "Spanish", "coaching", "robotics"),
        "M.Ed. in Secondary Education",
    ),
    Occupation(
        ("Marketing Manager", "Content Strategist", "Brand Manager"),
        ("Juniper Foods", "Cobalt Outdoor", "Palette Cosmetics"),
        (
            "Plan campaigns over {n} channels with a budget of ${n}00,000",
            "Brief agencies and judge drafts against the brand",
            "Test landing pages and messages, and write down what was learned",
            "Own the calendar for newsletter, social media and events",
            "Report on reach, cost and revenue every month",
            "Work with sales on {n} product launches a year",
        ),
        (
            "At least {n} years in consumer marketing",
            "Command of analytics, paid search and marketing automation",
            "Excellent writing and an eye for design",
            "Experience with agencies and with budgets",
            "Basic SQL or a good friend of spreadsheets",
        ),
        (
            "Launched {n} products and reached 120 percent of the sales plan",
            "Lowered the cost of a new customer by {n}0 percent in a year",
            "Grew the newsletter from 9,000 to {n}0,000 readers",
            "Ran {n}0 page tests and stopped two thirds of the ideas early",
            "Led the rebranding of {n} product families within the budget",
            "Negotiated media contracts and saved ${n}0,000",
        ),
        ("Google Analytics", "SEO", "copywriting", "HubSpot", "paid social", "budgeting", "A/B tests"),
        "B.A. in Communication",
    ),
    Occupation(
        ("Electrician", "Solar Installation Lead", "Industrial Electrician"),
        ("Brightline Electric", "Sunfield Solar", "Granite Mills"),
        (
            "Install and test wiring, panels and motors in plants and offices",
            "Read drawings, plan material and lead a crew of {n}",
            "Find faults in controls and drives and restore production",
            "Keep records of inspections and of {n}0 emergency lights",
            "Teach apprentices safe work and good habits",
            "Meet inspectors and correct what they find within {n} days",
        ),
        (
            "Journeyman license and {n} years in commercial or industrial work",
            "Sound knowledge of the electrical code",
            "Safe work at height and a clean driving record",
            "Experience with variable frequency drives and PLCs",
            "Readiness for on-call weeks",
        ),
        (
            "Led {n} crews on a rooftop plant of two megawatts",
            "Worked {n} years without a recordable accident",
            "Cut unplanned stops of the paper line by {n}0 percent",
            "Trained {n} apprentices to their license",
            "Replaced {n}00 fixtures by LED and documented the savings",
            "Rewired a hospital wing with {n} planned interruptions",
        ),
        ("conduit", "motor controls", "PLC", "blueprints", "NEC", "troubleshooting", "lockout", "solar"),
        "Apprenticeship, Joint Electrical Training Committee",
    ),
    Occupation(
        ("Data Scientist", "Statistician", "Machine Learning Engineer"),
        ("Castellan Analytics", "Greenway Insurance", "Delta Retail Labs"),
        (
            "Build and check prediction models on data of {n} million members",
            "Measure calibration and bias, and write model documentation",
            "Hand models to engineering with tests and monitoring",
            "Design experiments and say plainly what they can show",
            "Guide {n} junior colleagues through reviews",
            "Explain findings to people who decide but do not code",
        ),
        (
            "Degree in statistics or computer science and {n} years of practice",
            "Expert Python and SQL on large tables",
            "Causal inference, survival analysis or forecasting",
            "A model in production that you maintained yourself",
            "Respect for private data and its regulation",
        ),
        (
            "Took {n} models to production and retired two that no longer helped",
            "Cut the forecast error of store demand by {n}0 percent",
            "Showed that a campaign had no effect and saved ${n}00,000",
            "Built a feature store for {n} teams on Spark",
            "Published {n} papers on calibration",
            "Reduced training time from a day to {n}0 minutes",
        ),
        ("Python", "SQL", "scikit-learn", "PyTorch", "Spark", "Airflow", "survival analysis", "R"),
        "M.S. in Statistics",
    ),
)

FIRST_NAMES = (
    "Amara",
    "Bjorn",
    "Carla",
    "Deepak",
    "Elif",
    "Farid",
    "Greta",
    "Hana",
    "Ivo",
    "Jun",
    "Kofi",
    "Lena",
)
LAST_NAMES = (
    "Abara",
    "Brightwater",
    "Castell",
    "Dunmore",
    "Eriksen",
    "Fontaine",
    "Galloway",
    "Hargrove",
    "Ilic",
)
CITIES = (
    "Dayton, Ohio",
    "Tulsa, Oklahoma",
    "Boise, Idaho",
    "Albany, New York",
    "Macon, Georgia",
    "Reno, Nevada",
)
SCHOOLS = ("Prairie State College", "Lakewood University", "Stonehill Institute", "Cedar Valley University")
OPENINGS = (
    "{employer} has grown from {n}0 to more than {n}00 people, and its team in {city} needs help.",
    "For our office in {city}, {employer} is looking for someone who likes to finish what they start.",
    "{employer} serves customers in {n} states. Our group in {city} is small, experienced and friendly.",
)
CLOSINGS = (
    "We offer a yearly bonus of ${n},000, health insurance, a retirement plan with a match, "
    "and {n} weeks of paid leave. We decide within two weeks, and everyone hears back from us.",
    "The position is full time with flexible hours. You get a yearly budget of ${n},000 for courses, a sound "
    "salary, and colleagues who answer questions. Applicants of every background are welcome.",
)
SUMMARIES = (
    "{title} with {n} years of experience, known for careful work and for helping others to do theirs.",
    "Practical {title} who has spent {n} years between daily business and lasting improvements.",
    "{title} with {n} years in teams large and small, looking for a place to stay and grow.",
)
COMMON_ACHIEVEMENTS = (
    "Chaired the safety and improvement round of {n} departments",
    "Stood in for the team lead during {n} months of leave",
    "Kept the handover notes that {n} shifts still use",
    "Took part in hiring and in the first weeks of {n} new colleagues",
    "Presented results to the management every {n} weeks",
)
COMMON_DUTIES = (
    "Suggest improvements every quarter and carry at least {n} of them through",
    "Keep procedures and handover notes so that others can follow them",
    "Welcome new colleagues and share what you know in short sessions",
    "Work with {n} partner teams and settle open questions with them directly",
    "Report progress and risks to the head of the group every {n} weeks",
)
COMMON_DEMANDS = (
    "Clear spoken and written English, and the habit of asking early",
    "Careful work under time pressure, with {n} or more tasks in hand",
    "Willingness to travel on up to {n} days a quarter",
    "References from at least two earlier positions",
)
HABITS = (
    "How we work: small teams, short meetings and written decisions. Everyone sees the plan and its reasons, "
    "and {n} times a year we stop for a week to repair what annoys us.",
    "About the team: {n} people between 24 and 63 years of age, most of whom have been here for more than "
    "{n} years. We cover for each other, and nobody is asked to answer mail in the evening.",
    "What to expect: in the first {n} weeks you follow experienced colleagues, then you take over your own "
    "area step by step. After {n} months we look back together and agree on what comes next.",
)
