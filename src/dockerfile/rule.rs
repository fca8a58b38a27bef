//! The rules of BuildKit's linter: their names, and what each says.

/// A rule of BuildKit's linter.
///
/// `CopyIgnoredFile` and `InvalidBaseImagePlatform` are missing: they need the ignore file and the base's own platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    ConsistentInstructionCasing,
    DuplicateStageName,
    ExposeInvalidFormat,
    ExposeProtoCasing,
    FromAsCasing,
    FromPlatformFlagConstDisallowed,
    InvalidDefaultArgInFrom,
    InvalidDefinitionDescription,
    JSONArgsRecommended,
    LegacyKeyValueFormat,
    MaintainerDeprecated,
    MultipleInstructionsDisallowed,
    NoEmptyContinuation,
    RedundantTargetPlatform,
    ReservedStageName,
    SecretsUsedInArgOrEnv,
    StageNameCasing,
    UndefinedArgInFrom,
    UndefinedVar,
    WorkdirRelativePath,
}

/// A rule's name, what it says of a subject (in the place of `{}`), and what to write in its stead.
type Text = (&'static str, &'static str, &'static str);

impl Rule {
    /// The name as `# check=skip=` takes it.
    pub fn name(self) -> &'static str {
        self.text().0
    }

    /// What the rule says of `subject`, which must be safe to print.
    pub(super) fn message(self, subject: &str) -> String {
        self.text().1.replace("{}", subject)
    }

    /// What to write in its stead.
    pub(super) fn fix(self) -> &'static str {
        self.text().2
    }

    fn text(self) -> Text {
        match self {
            Self::ConsistentInstructionCasing => (
                "ConsistentInstructionCasing",
                "`{}` is not in the case of most instructions",
                "write all instructions in one case",
            ),
            Self::DuplicateStageName => {
                ("DuplicateStageName", "two stages are called `{}`", "give each stage a name of its own")
            }
            Self::ExposeInvalidFormat => (
                "ExposeInvalidFormat",
                "`EXPOSE {}` names an address or port of the host, which has no effect",
                "name the container's port only",
            ),
            Self::ExposeProtoCasing => {
                ("ExposeProtoCasing", "the protocol of `EXPOSE {}` is not in lower case", "write it in lower case")
            }
            Self::FromAsCasing => ("FromAsCasing", "`{}` is not in the case of its FROM", "write both in one case"),
            Self::FromPlatformFlagConstDisallowed => (
                "FromPlatformFlagConstDisallowed",
                "`FROM --platform={}` holds whatever platform is built",
                "use a variable such as `$BUILDPLATFORM`, or leave the flag out",
            ),
            Self::InvalidDefaultArgInFrom => (
                "InvalidDefaultArgInFrom",
                "with the defaults of its ARGs, `FROM {}` names no image",
                "give them defaults that make a name",
            ),
            Self::InvalidDefinitionDescription => (
                "InvalidDefinitionDescription",
                "the comment `{}` does not begin with the name of what it describes",
                "write `# NAME description`, or put an empty line below it",
            ),
            Self::JSONArgsRecommended => (
                "JSONArgsRecommended",
                "`{}` in shell form starts a shell, which takes the signals",
                "write its arguments as a JSON list",
            ),
            Self::LegacyKeyValueFormat => {
                ("LegacyKeyValueFormat", "`{} NAME VALUE` is the legacy form", "write `NAME=VALUE`")
            }
            Self::MaintainerDeprecated => {
                ("MaintainerDeprecated", "`{}` is deprecated", "use the label `org.opencontainers.image.authors`")
            }
            Self::MultipleInstructionsDisallowed => (
                "MultipleInstructionsDisallowed",
                "of several `{}` in a stage only the last counts",
                "remove the others",
            ),
            Self::NoEmptyContinuation => {
                ("NoEmptyContinuation", "an empty line within an instruction", "remove the line")
            }
            Self::RedundantTargetPlatform => {
                ("RedundantTargetPlatform", "`FROM --platform={}` is the default", "leave the flag out")
            }
            Self::ReservedStageName => {
                ("ReservedStageName", "`{}` as the name of a stage is reserved", "give the stage another name")
            }
            Self::SecretsUsedInArgOrEnv => (
                "SecretsUsedInArgOrEnv",
                "`{}` looks like a secret, and what ARG and ENV hold can be read from the image",
                "use `RUN --mount=type=secret`",
            ),
            Self::StageNameCasing => {
                ("StageNameCasing", "the stage's name `{}` is not in lower case", "write it in lower case")
            }
            Self::UndefinedArgInFrom => (
                "UndefinedArgInFrom",
                "FROM uses `{}`, which no ARG above it declares",
                "declare it above the first FROM",
            ),
            Self::UndefinedVar => {
                ("UndefinedVar", "the variable `{}` is not defined", "declare it with ARG or ENV, or correct its name")
            }
            Self::WorkdirRelativePath => (
                "WorkdirRelativePath",
                "`WORKDIR {}` is relative to the working directory of the base",
                "begin it with `/`",
            ),
        }
    }
}
