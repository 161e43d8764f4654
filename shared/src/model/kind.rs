//! The kinds of things that run images, and what differs between them in words.

/// What can run an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetKind {
    /// An ECS service.
    Service,
    /// A one-off task: it runs once, to its end, and is not brought back.
    Task,
    /// A schedule of EventBridge Scheduler that runs an ECS task.
    Schedule,
    /// A rule of EventBridge that runs an ECS task.
    Rule,
    /// A Lightsail container service.
    Lightsail,
}

impl TargetKind {
    /// All of them.
    pub(super) const ALL: [Self; 5] =
        [Self::Service, Self::Task, Self::Schedule, Self::Rule, Self::Lightsail];

    /// The first word of a target's id.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Service => "ecs",
            Self::Task => "task",
            Self::Schedule => "schedule",
            Self::Rule => "rule",
            Self::Lightsail => "lightsail",
        }
    }

    /// What people call it.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Task => "task",
            Self::Schedule => "schedule",
            Self::Rule => "rule",
            Self::Lightsail => "container service",
        }
    }

    /// Who brings a revision in there: the name people know the AWS service by.
    pub fn host(self) -> &'static str {
        match self {
            Self::Service | Self::Task => "ECS",
            Self::Schedule => "EventBridge Scheduler",
            Self::Rule => "EventBridge",
            Self::Lightsail => "Lightsail",
        }
    }

    /// The name of the call that moves it, as `CloudTrail` writes it.
    pub fn moved_by(self) -> &'static str {
        match self {
            Self::Service | Self::Task => "UpdateService",
            Self::Schedule => "UpdateSchedule",
            Self::Rule => "PutTargets",
            Self::Lightsail => "CreateContainerServiceDeployment",
        }
    }

    /// It only names what runs next time: nothing of it runs between.
    pub fn is_scheduled(self) -> bool {
        matches!(self, Self::Schedule | Self::Rule)
    }

    /// Whether AWS tells by an event that a deployment completed; of the others every tick looks.
    pub fn is_told_of(self) -> bool {
        self == Self::Service
    }
}
