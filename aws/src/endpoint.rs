//! Where a service is that has no crate here.

use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::service_config::ServiceConfigKey;

/// Where a service is asked, and for which region the question is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) url: String,
    pub(crate) region: Region,
}

impl Endpoint {
    /// Of the service that is signed for as `name`: where `config` says, or else AWS's own.
    pub(crate) fn of(config: &SdkConfig, name: &str) -> Self {
        let region = config.region().map_or("", Region::as_ref);
        let (host, region) = match name {
            // One for all regions.
            "iam" => ("iam".to_owned(), "us-east-1"),
            // `ecr.REGION…` is not the API.
            "ecr" => (format!("api.ecr.{region}"), region),
            _ => (format!("{name}.{region}"), region),
        };
        let url = said(config, name).unwrap_or_else(|| format!("https://{host}.amazonaws.com"));
        Self { url, region: Region::new(region.to_owned()) }
    }
}

/// What was said of this service alone (`AWS_ENDPOINT_URL_ECR`, or the profile's `services`), unless
/// the program says it itself of all: in the order of the SDK's own clients.
fn said(config: &SdkConfig, name: &str) -> Option<String> {
    let of_all = || config.endpoint_url().map(str::to_owned);
    if config.get_origin("endpoint_url").is_client_config() {
        return of_all();
    }
    let key = ServiceConfigKey::builder().service_id(service_id(name));
    let key = key.env("AWS_ENDPOINT_URL").profile("endpoint_url").build().ok();
    let of_service = key.and_then(|key| config.service_config()?.load_config(key));
    of_service.or_else(of_all)
}

/// By which name AWS's tools know the service in an environment or a profile.
fn service_id(name: &str) -> &str {
    match name {
        "monitoring" => "CloudWatch",
        "logs" => "CloudWatch Logs",
        "events" => "EventBridge",
        same => same,
    }
}

#[cfg(test)]
mod tests {
    use aws_types::origin::Origin;
    use aws_types::service_config::LoadServiceConfig;

    use super::*;

    #[test]
    fn a_service_is_where_it_is_signed_for() {
        for (name, url, signed) in [
            ("ecs", "https://ecs.eu-west-1.amazonaws.com", "eu-west-1"),
            ("ecr", "https://api.ecr.eu-west-1.amazonaws.com", "eu-west-1"),
            ("iam", "https://iam.amazonaws.com", "us-east-1"),
        ] {
            let config = SdkConfig::builder().region(Region::from_static("eu-west-1")).build();
            let expected = Endpoint { url: url.to_owned(), region: Region::from_static(signed) };
            assert_eq!(Endpoint::of(&config, name), expected);
        }
    }

    /// An environment that says something of one service.
    #[derive(Debug)]
    struct Variable(&'static str);

    impl LoadServiceConfig for Variable {
        fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
            (key.service_id() == self.0).then(|| "http://one".to_owned())
        }
    }

    #[test]
    fn what_is_said_of_one_service_counts_before_what_is_said_of_all() {
        let config = |origin| {
            let mut config = SdkConfig::builder()
                .region(Region::from_static("us-west-2"))
                .service_config(Variable("CloudWatch Logs"))
                .endpoint_url("http://all");
            config.insert_origin("endpoint_url", origin);
            config.build()
        };
        let of = |config: &SdkConfig, name| Endpoint::of(config, name).url;
        let environment = config(Origin::shared_environment_variable());
        assert_eq!(of(&environment, "logs"), "http://one");
        assert_eq!(of(&environment, "ecr"), "http://all");
        assert_eq!(of(&config(Origin::shared_config()), "logs"), "http://all", "it was typed");
    }
}
