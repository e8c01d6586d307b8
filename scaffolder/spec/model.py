"""The platform spec's vocabulary: every key, its type, its default and its sentence of documentation.

The one place that states a default. The loader, the JSON Schema, ``explain`` and the option tables are all read
off these classes. May not know a cloud, a file or a resource.
"""

from __future__ import annotations

from collections.abc import Mapping

from scaffolder.spec.fields import (
    Anything,
    Boolean,
    Choice,
    Cidr,
    Cron,
    Duration,
    Each,
    Either,
    Email,
    Instance,
    Integer,
    Number,
    RelativePath,
    Section,
    Str,
    Table,
    key,
)
from scaffolder.spec.providers import UUID
from stacks.record import record

__all__ = ["PlatformSpec"]

NAME = Str(
    pattern=r"[a-z][a-z0-9]*(-[a-z0-9]+)*", minimum=1, maximum=20, says="lower-case words joined by hyphens"
)
PLATFORM_NAME = Str(
    pattern=r"[a-z][a-z0-9]*(-[a-z0-9]+)*", minimum=3, maximum=20, says="lower-case words joined by hyphens"
)
ENVIRONMENT_NAME = Str(pattern=r"[a-z][a-z0-9]*", minimum=2, maximum=10, says="one lower-case word")
COLUMN = Str(pattern=r"[a-z][a-z0-9_]*", minimum=1, maximum=63, says="a lower-case identifier")
TAG_KEY = Str(
    pattern=r"[A-Za-z][A-Za-z0-9_.:/@+=-]*", minimum=1, maximum=63, says="a tag key: a letter first"
)
TAG_VALUE = Str(
    pattern=r"[A-Za-z0-9 _.:/@+=-]*", minimum=0, maximum=63, says="letters, digits, spaces, _.:/@+=-"
)
IMAGE = Str(
    pattern=r"[a-z0-9][A-Za-z0-9._/-]*(:[0-9]+/[A-Za-z0-9._/-]+)?(:[A-Za-z0-9_][A-Za-z0-9._-]*|@sha256:[0-9a-f]{64})",
    minimum=3,
    maximum=400,
    says="an image with its tag or digest, such as serving:1.4.0",
)
OBJECT_PATH = Str(
    pattern=r"(?!\.\.?/)[A-Za-z0-9._=-]+(/(?!\.\.?(/|$))[A-Za-z0-9._=-]+)*",
    minimum=1,
    maximum=400,
    says="a path inside the bucket, without a slash at its ends",
)
MODEL_ID = Str(
    pattern=r"[a-zA-Z0-9][a-zA-Z0-9._:@/-]*",
    minimum=3,
    maximum=140,
    says="a model's id in the cloud's spelling",
)
USER = Str(
    pattern=r"[a-z][a-z0-9]*(-[a-z0-9]+)*|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    minimum=1,
    maximum=36,
    says="lower-case words joined by hyphens, or a person's object id",
)
STRENGTH = Choice("high", "medium", "low", "none")
PRINCIPAL = Str(
    pattern=r"\S+", minimum=3, maximum=256, says="a principal of the cloud: on AWS, an IAM role's ARN"
)


@record
class Target:
    """The cloud, region and account that the platform is deployed to."""

    provider: str = key(Choice("aws", "gcp", "azure"), "The cloud.", required=True)
    region: str = key(
        Str(
            pattern=r"[A-Za-z][A-Za-z0-9 -]+",
            minimum=3,
            maximum=32,
            says="a region's name, such as eu-west-1",
        ),
        "The region, in the cloud's own spelling.",
        required=True,
    )
    account: str = key(
        Str(
            pattern=r"[A-Za-z0-9-]+",
            minimum=6,
            maximum=36,
            says="an account's, project's or subscription's id in quotes",
        ),
        "The AWS account, the GCP project or the Azure subscription; quote it.",
        required=True,
    )


@record
class State:
    """Where Terraform's state lives."""

    backend: str = key(
        Choice("managed", "local", "s3", "gcs", "azurerm"),
        "managed: an encrypted, versioned, locked bucket of the platform's own; local: files beside the project; "
        "s3, gcs, azurerm: your own, described by settings.",
        default="managed",
    )
    create: bool = key(
        Boolean(),
        "With backend managed: add the stack that makes the bucket. Turn it off when something else made it.",
        default=True,
    )
    settings: Mapping[str, str | int | bool] = key(
        Table(COLUMN, Either(Str(minimum=1, maximum=512), Boolean(), Integer())),
        "With backend s3, gcs or azurerm: that backend's own arguments, as Terraform names them. "
        "The state's key is added. Credentials are refused: they belong into the environment.",
        default={},
    )


@record
class ExistingNetwork:
    """A network that is there already; nothing is created in it."""

    network_id: str = key(Str(minimum=3, maximum=256), "The network's id.", required=True)
    subnet_ids: tuple[str, ...] = key(
        Each(Str(minimum=3, maximum=256), minimum=1, maximum=16, unique=True),
        "Private subnets for workloads, in as many zones as you want to use.",
        required=True,
    )
    security_group_ids: tuple[str, ...] = key(
        Each(Str(minimum=3, maximum=256), minimum=1, maximum=5, unique=True),
        "Security groups for workloads, where the cloud has any to put them into: on AWS, one at least.",
        default=(),
    )


@record
class Network:
    """The private network that everything runs in."""

    cidr: str = key(
        Cidr(longest=20, shortest=16),
        "The address range. Each zone's private subnet is a sixteenth of it (of a /20, a /24); the last sixteenth is "
        "for public subnets.",
        default="10.40.0.0/16",
    )
    zones: int | tuple[str, ...] = key(
        Either(
            Integer(minimum=1, maximum=6),
            Each(Str(pattern=r"[a-z0-9-]+", minimum=1, maximum=24), minimum=1, maximum=6, unique=True),
        ),
        "How many availability zones, or a list of zone ids.",
        default=3,
    )
    egress: str = key(
        Choice("none", "nat"),
        "Whether workloads reach the internet: none, or through NAT gateways.",
        default="none",
    )
    nat_gateways: str = key(
        Choice("per-zone", "single"),
        "With egress nat: a gateway in every zone, or one for all (cheaper, and one zone's failure stops egress).",
        default="per-zone",
    )
    private_endpoints: bool = key(
        Boolean(), "Reach the cloud's own services by private endpoints inside the network.", default=True
    )
    existing: ExistingNetwork | None = key(
        Section(ExistingNetwork), "Use a network that is there already, and create none.", default=None
    )


@record
class Security:
    """Keys, audit and compliance."""

    encryption: str = key(
        Choice("customer", "provider"),
        "Who owns the encryption keys: you (customer-managed, rotated yearly) or the cloud.",
        default="customer",
    )
    audit: bool = key(
        Boolean(), "Record every management call and every access to model artifacts.", default=True
    )
    audit_retention_days: int = key(
        Integer(minimum=90, maximum=3653), "How long the audit trail's files are kept.", default=730
    )
    log_retention_days: int = key(
        Integer(minimum=1, maximum=3653), "How long service and network logs are kept.", default=365
    )
    permissions_boundary: bool | str | None = key(
        Either(
            Boolean(), Str(pattern=r"\S+", minimum=20, maximum=256, says="a policy's id: on AWS, its ARN")
        ),
        "A ceiling over every role the platform creates, where the cloud has such a thing: true makes one, a policy's id "
        "uses yours. Left out, one is made where identity.ci may create roles.",
        default=None,
    )
    profiles: tuple[str, ...] = key(
        Each(Choice("hipaa", "gdpr", "soc2", "eu-ai-act"), maximum=4, unique=True),
        "Compliance profiles: each sets floors that the rest of the spec must meet, and marks every resource.",
        default=(),
    )


@record
class Ci:
    """The continuous-integration system that plans and deploys, by OIDC and without keys."""

    system: str = key(
        Choice("github", "gitlab", "circleci", "jenkins", "azure-devops"), "The CI system.", required=True
    )
    repository: str = key(
        Str(pattern=r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+", minimum=3, maximum=200, says="owner/name"),
        "The repository whose jobs may assume the CI roles: owner/name on GitHub or GitLab, for CircleCI on GitHub; of "
        "Jenkins the path of the multibranch pipeline, of Azure DevOps organization/project.",
        required=True,
    )
    branch: str = key(
        Str(pattern=r"[A-Za-z0-9_./-]+", minimum=1, maximum=100),
        "The branch that builds images.",
        default="main",
    )
    host: str = key(
        Str(pattern=r"[a-z0-9.-]+", minimum=4, maximum=100, says="a host name"),
        "The host of GitLab, or of Jenkins, where it must be given.",
        default="gitlab.com",
    )
    organization: str | None = key(
        Str(pattern=UUID, minimum=36, maximum=36, says="a UUID in lower case"),
        "The organization's id, a UUID; of CircleCI and Azure DevOps, whose tokens are issued by organization.",
        default=None,
    )
    provider: str = key(
        Choice("auto", "create", "existing"),
        "The account's OIDC identity provider (one per account): auto creates it in the first environment of each "
        "account and refers to it in the others.",
        default="auto",
    )


@record
class Groups:
    """Who may assume the roles that people use."""

    admins: tuple[str, ...] = key(
        Each(PRINCIPAL, maximum=50, unique=True), "May approve models and change endpoints.", default=()
    )
    scientists: tuple[str, ...] = key(
        Each(PRINCIPAL, maximum=50, unique=True), "May run jobs and pipelines inside the network.", default=()
    )
    viewers: tuple[str, ...] = key(Each(PRINCIPAL, maximum=50, unique=True), "May look.", default=())


@record
class Identity:
    """Roles: of workloads, of people and of CI."""

    ci: Ci | None = key(Section(Ci), "Roles for continuous integration.", default=None)
    groups: Groups = key(Section(Groups), "Roles for people.", default=Groups)


@record
class Bucket:
    """An object store."""

    expire_after_days: int | None = key(
        Integer(minimum=1, maximum=36500),
        "Delete objects after so many days; never, when left out.",
        default=None,
    )
    archive_after_days: int | None = key(
        Integer(minimum=30, maximum=36500),
        "Move objects to infrequent access after so many days.",
        default=None,
    )
    keep_versions_days: int = key(
        Integer(minimum=1, maximum=36500),
        "Keep overwritten and deleted versions for so many days.",
        default=90,
    )


@record
class Storage:
    """Object stores. data, artifacts and logs are always there; naming them changes their settings."""

    buckets: Mapping[str, Bucket] = key(
        Table(NAME, Section(Bucket), maximum=50),
        "Buckets by name; others than the three are yours.",
        default={},
    )


@record
class Containers:
    """Container image repositories."""

    repositories: tuple[str, ...] = key(
        Each(NAME, maximum=50, unique=True), "Repositories to create.", default=("training", "serving")
    )
    keep_images: int = key(
        Integer(minimum=1, maximum=1000), "How many images each repository keeps.", default=50
    )


@record
class Workspace:
    """The place where people work: notebooks and an IDE."""

    users: tuple[str, ...] = key(
        Each(USER, maximum=200, unique=True),
        "Who gets a machine. On AWS any names; on GCP the names of those whose addresses identity.groups lists "
        "(ada of user:ada@example.com); on Azure people's object ids.",
        default=(),
    )
    instance: str = key(Instance(), "The size of a user's machine.", default="cpu.medium")
    idle_shutdown_minutes: int = key(
        Integer(minimum=60, maximum=525600), "Stop a machine that nobody used for so long.", default=60
    )
    auth: str = key(Choice("iam", "sso"), "How users sign in.", default="iam")
    keep_home: bool = key(Boolean(), "Keep the users' files when the workspace is destroyed.", default=True)


@record
class Tracking:
    """Experiment tracking."""

    backend: str = key(Choice("managed", "none"), "The cloud's managed MLflow, or none.", default="none")


@record
class Model:
    """A model's line in the registry, and the version that its endpoints serve."""

    approval: str = key(
        Choice("manual", "automatic"),
        "Whether a person approves a version before it is deployed.",
        default="manual",
    )
    version: int | None = key(
        Integer(minimum=1, maximum=1_000_000),
        "The registered version that endpoints serve. Without it, or image, endpoints are planned and not made.",
        default=None,
    )
    image: str | None = key(
        IMAGE,
        "Instead of a version: the serving image, one of containers.repositories with its tag, or a whole address.",
        default=None,
    )
    data: str | None = key(
        OBJECT_PATH,
        "With image: the model's archive, below models/ of the artifacts bucket; none, when the image holds it.",
        default=None,
    )
    on_approval: str | None = key(NAME, "The pipeline that a version's approval starts.", default=None)


@record
class FeatureGroup:
    """A table of features, for training (offline) and serving (online)."""

    event_time: str = key(
        COLUMN,
        "The column that says when the record was true; a timestamp, unless columns says otherwise.",
        required=True,
    )
    columns: Mapping[str, str] = key(
        Table(COLUMN, Choice("int", "float", "string", "bool", "timestamp"), minimum=1, maximum=2500),
        "Columns and their types.",
        required=True,
    )
    online: bool = key(Boolean(), "Serve records with low latency.", default=False)
    offline: bool = key(Boolean(), "Keep the history for training.", default=True)
    # Last, since it hides the function in this class.
    key: str = key(
        COLUMN, "The column that identifies a record; a string, unless columns says otherwise.", required=True
    )


@record
class Pipeline:
    """A training pipeline."""

    definition: str = key(
        RelativePath(), "The pipeline definition's file, relative to the spec.", required=True
    )
    schedule: str | None = key(
        Cron(), "When to run, in five cron fields (UTC); by hand, when left out.", default=None
    )
    instance: str = key(
        Instance(), "The size of a step's machine, where a step names none.", default="cpu.large"
    )


@record
class Replicas:
    """How many instances serve."""

    min: int = key(Integer(minimum=0, maximum=1000), "At least.", default=1)
    max: int = key(
        Integer(minimum=1, maximum=1000), "At most; more than min turns autoscaling on.", default=1
    )
    target_utilization_percent: int = key(
        Integer(minimum=10, maximum=95), "Scale so that each instance is this busy.", default=70
    )


@record
class Endpoint:
    """A served model."""

    model: str = key(NAME, "The model, one of models.", required=True)
    mode: str = key(
        Choice("realtime", "serverless", "async", "batch"),
        "How requests are answered; only AWS has serverless and async.",
        default="realtime",
    )
    instance: str = key(Instance(), "The size of an instance.", default="cpu.medium")
    replicas: Replicas = key(
        Section(Replicas),
        "How many instances serve; with mode batch, max of them run a job.",
        default=Replicas,
    )
    capture_percent: int = key(
        Integer(minimum=0, maximum=100),
        "With mode realtime: how many requests and answers, of a hundred, are kept for monitors.",
        default=20,
    )
    max_latency_ms: int = key(
        Integer(minimum=1, maximum=60_000),
        "With modes realtime and serverless: alarm when one answer in a hundred takes longer.",
        default=1000,
    )
    max_error_percent: float = key(
        Number(minimum=0.0, maximum=100.0),
        "Alarm when more requests than this fail by the server's fault; not with mode batch.",
        default=1.0,
    )
    memory_mb: int = key(
        Integer(minimum=1024, maximum=6144),
        "With mode serverless: the memory, a multiple of 1024.",
        default=2048,
    )
    max_concurrency: int = key(
        Integer(minimum=1, maximum=200), "With mode serverless: requests at the same time.", default=20
    )
    schedule: str | None = key(
        Cron(),
        "With mode batch: when to score what is below batch/NAME/input of the data bucket, in five cron fields (UTC).",
        default=None,
    )


@record
class Drift:
    """A drift test."""

    threshold: float = key(
        Number(minimum=0.0, maximum=1.0),
        "The drift score (0 to 1) from which a window counts as drifted.",
        default=0.2,
    )


@record
class DataDrift:
    """A drift test of the inputs."""

    threshold: float = key(
        Number(minimum=0.0, maximum=1.0),
        "The drift score (0 to 1) from which a column counts as drifted.",
        default=0.2,
    )
    columns: tuple[str, ...] = key(
        Each(COLUMN, maximum=100, unique=True),
        "The columns whose drift raises the alarm. Without them, any column's does where the monitor has an image; of "
        "SageMaker's own the alarm is planned and not made.",
        default=(),
    )


@record
class Monitor:
    """A watch over an endpoint, by a job with Scaffolder's own drift code, or by the cloud's own monitor.

    On AWS that is SageMaker Model Monitor, which takes no new customers any more.
    """

    endpoint: str = key(NAME, "The endpoint, one of endpoints.", required=True)
    every: str = key(Duration(shortest_s=3600, longest_s=604800), "How often: 1h to 7d.", default="1h")
    data_drift: DataDrift | None = key(
        Section(DataDrift), "Compare the inputs with the training data.", default=None
    )
    prediction_drift: Drift | None = key(
        Section(Drift), "Compare the predictions with the baseline.", default=None
    )
    concept_drift: Drift | None = key(
        Section(Drift), "Compare the predictions with labels that come later.", default=None
    )
    on_alert: tuple[str, ...] = key(
        Each(Choice("notify", "retrain"), minimum=1, maximum=2, unique=True),
        "What to do on drift.",
        default=("notify",),
    )
    pipeline: str | None = key(NAME, "The pipeline that retrains; the only one, when left out.", default=None)
    baseline: str | None = key(
        OBJECT_PATH,
        "What windows are compared with: a folder below baselines/ of the artifacts bucket, with drift-baseline.json "
        "where the monitor has an image (python -m drift baseline writes it), and with statistics.json and "
        "constraints.json for SageMaker's own. Without it the monitor is planned and not made.",
        default=None,
    )
    instance: str = key(Instance(), "The size of the machine that compares.", default="cpu.medium")
    image: str | None = key(
        IMAGE,
        "An image with Python, numpy, scipy and pandas (on AWS boto3 too), in which Scaffolder's own drift code looks for "
        "drift of every kind; without it, the cloud's own monitor, where it has one.",
        default=None,
    )
    breaches: int = key(
        Integer(minimum=1, maximum=24), "Raise the alarm when so many of the last windows drifted.", default=2
    )
    windows: int = key(Integer(minimum=1, maximum=24), "How many of the last windows count.", default=3)
    cooldown: str = key(
        Duration(shortest_s=3600, longest_s=2592000),
        "With an image: after a retraining was started, start none for so long, 1h to 30d.",
        default="24h",
    )


@record
class GuardedPattern:
    """A pattern that a guardrail looks for."""

    regex: str = key(Str(minimum=1, maximum=500), "The regular expression.", required=True)
    description: str = key(Str(minimum=1, maximum=200), "What it finds.", required=True)
    action: str = key(Choice("mask", "block"), "Mask what is found, or block the text.", default="mask")


@record
class DeniedTopic:
    """A topic that a guardrail refuses."""

    definition: str = key(
        Str(minimum=1, maximum=200), "What the topic is, in one or two sentences.", required=True
    )
    examples: tuple[str, ...] = key(
        Each(Str(minimum=1, maximum=100), maximum=5, unique=True), "Requests that belong to it.", default=()
    )


@record
class Guardrail:
    """A filter around models: what is asked and what is answered."""

    content: str = key(
        STRENGTH, "How strictly hate, insults, misconduct, sex and violence are blocked.", default="high"
    )
    prompt_attacks: str = key(
        STRENGTH, "How strictly attempts to trick the model are blocked.", default="high"
    )
    pii: Mapping[str, str] = key(
        Table(NAME, Choice("mask", "block"), maximum=50),
        "What to do with kinds of personal data, such as email, phone, name, credit-card or password.",
        default={},
    )
    patterns: Mapping[str, GuardedPattern] = key(
        Table(NAME, Section(GuardedPattern), maximum=30), "Patterns of your own.", default={}
    )
    denied_topics: Mapping[str, DeniedTopic] = key(
        Table(NAME, Section(DeniedTopic), maximum=30), "Topics to refuse.", default={}
    )
    denied_words: tuple[str, ...] = key(
        Each(Str(minimum=1, maximum=100), maximum=1000, unique=True), "Words to refuse.", default=()
    )
    profanity: bool = key(Boolean(), "Refuse swear words.", default=True)
    grounding: float = key(
        Number(minimum=0.0, maximum=0.99),
        "How well an answer must be founded on the source that it is given (0 to 0.99); 0 turns the check off.",
        default=0.75,
    )
    relevance: float = key(
        Number(minimum=0.0, maximum=0.99),
        "How well an answer must fit its question, where a source is given (0 to 0.99); 0 turns the check off.",
        default=0.75,
    )
    blocked_message: str = key(
        Str(minimum=1, maximum=500),
        "What is answered instead of what was blocked.",
        default="This request or its answer is not allowed.",
    )


@record
class KnowledgeBase:
    """Documents that models can be asked about."""

    bucket: str = key(
        NAME, "The bucket that the documents are in: data, artifacts or one of yours.", default="data"
    )
    prefix: str | None = key(
        OBJECT_PATH, "Where in the bucket they are; kb/NAME, when left out.", default=None
    )
    embedding_model: str | None = key(
        MODEL_ID,
        "The model that turns text into vectors, by the cloud's own id; a usual one of the cloud, when left out.",
        default=None,
    )
    dimensions: int = key(Integer(minimum=1, maximum=4096), "The size of its vectors.", default=1024)
    standby: bool = key(
        Boolean(), "Keep a standby of the vectors in another zone, at twice the cost.", default=False
    )
    index: str | None = key(
        Str(pattern=r"[a-z0-9][a-z0-9_-]*", minimum=1, maximum=128, says="an index's name in lower case"),
        "The index that holds the vectors. Without it the knowledge base is planned and not made; preview says how to "
        "make an index.",
        default=None,
    )


@record
class Llm:
    """Large language models: who may use which, what is filtered and logged, and what they can look up."""

    models: tuple[str, ...] = key(
        Each(MODEL_ID, maximum=20, unique=True),
        "The models that workloads and scientists may invoke, by the cloud's own ids.",
        default=(),
    )
    log_invocations: bool = key(
        Boolean(),
        "Log what models are asked and answer. On AWS there is one log for an account in a region: of environments that "
        "share them, the first keeps it.",
        default=True,
    )
    guardrails: Mapping[str, Guardrail] = key(
        Table(NAME, Section(Guardrail), maximum=20), "Filters around models.", default={}
    )
    knowledge_bases: Mapping[str, KnowledgeBase] = key(
        Table(NAME, Section(KnowledgeBase), maximum=20), "Documents to ask about.", default={}
    )


@record
class Budget:
    """A spending limit with alerts at 80 % (actual) and 100 % (forecast)."""

    monthly: float = key(Number(minimum=1, maximum=1e9), "The amount a month.", required=True)
    currency: str = key(
        Str(pattern=r"[A-Z]{3}", minimum=3, maximum=3, says="three letters"), "ISO 4217.", default="USD"
    )


@record
class Alerts:
    """Who hears of trouble."""

    emails: tuple[str, ...] = key(Each(Email(), maximum=50, unique=True), "Mail addresses.", default=())
    budget: Budget | None = key(Section(Budget), "A spending limit.", default=None)


@record
class PlatformSpec:
    """A platform: what a spec says of it for one environment, with defaults filled in.

    ``environments`` is the loader's: each of them is merged over the rest of the spec before this is read.
    """

    version: int = key(Integer(minimum=1, maximum=1), "The vocabulary's version.", required=True)
    name: str = key(PLATFORM_NAME, "The platform's name, the prefix of every name.", required=True)
    owner: str = key(
        Str(
            pattern=r"[A-Za-z0-9 _.:/@+=-]+", minimum=1, maximum=63, says="letters, digits, spaces, _.:/@+=-"
        ),
        "The team that answers for it; a tag on everything.",
        required=True,
    )
    tags: Mapping[str, str] = key(
        Table(TAG_KEY, TAG_VALUE, maximum=40), "Further tags on everything.", default={}
    )
    target: Target = key(Section(Target), "Where it is deployed.", required=True)
    deletion_protection: bool = key(
        Boolean(), "Refuse to destroy what holds data, and keep buckets that are not empty.", default=False
    )
    state: State = key(Section(State), "Where Terraform's state lives.", default=State)
    network: Network = key(Section(Network), "The private network.", default=Network)
    security: Security = key(Section(Security), "Keys, audit and compliance.", default=Security)
    identity: Identity = key(Section(Identity), "Roles of workloads, people and CI.", default=Identity)
    storage: Storage = key(Section(Storage), "Object stores.", default=Storage)
    containers: Containers = key(Section(Containers), "Container image repositories.", default=Containers)
    workspace: Workspace | None = key(
        Section(Workspace), "Notebooks and an IDE; none, when left out.", default=None
    )
    tracking: Tracking = key(Section(Tracking), "Experiment tracking.", default=Tracking)
    models: Mapping[str, Model] = key(
        Table(NAME, Section(Model), maximum=200), "The model registry.", default={}
    )
    features: Mapping[str, FeatureGroup] = key(
        Table(NAME, Section(FeatureGroup), maximum=200), "Feature groups.", default={}
    )
    pipelines: Mapping[str, Pipeline] = key(
        Table(NAME, Section(Pipeline), maximum=200), "Pipelines.", default={}
    )
    endpoints: Mapping[str, Endpoint] = key(
        Table(NAME, Section(Endpoint), maximum=200), "Endpoints.", default={}
    )
    monitors: Mapping[str, Monitor] = key(Table(NAME, Section(Monitor), maximum=200), "Monitors.", default={})
    llm: Llm | None = key(Section(Llm), "Large language models; none, when left out.", default=None)
    alerts: Alerts = key(Section(Alerts), "Who hears of trouble.", default=Alerts)
    overrides: Mapping[str, Mapping[str, object]] = key(
        Table(
            Str(
                pattern=r"[a-z][a-z0-9_]*\.[A-Za-z_][A-Za-z0-9_-]*", minimum=3, maximum=200, says="type.name"
            ),
            Table(
                Str(pattern=r"[a-z][a-z0-9_]*", minimum=1, maximum=80, says="an argument's name"), Anything()
            ),
        ),
        "Arguments of any resource by its address, as Terraform names them; null takes one away; lifecycle is one too. "
        "Values replace what the platform set, are literal, and are checked against the provider's schema.",
        default={},
    )
