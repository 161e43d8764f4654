//! The name by which a container asks for an image.

/// `host/repository:tag` or `host/repository@sha256:…`, in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The registry's host, where one is named.
    pub host: Option<String>,
    /// The repository in it.
    pub repository: String,
    /// The tag, where one is named.
    pub tag: Option<String>,
    /// The digest, where the image is pinned.
    pub digest: Option<String>,
}

impl Reference {
    /// Takes a name apart.
    ///
    /// ```
    /// use tidegate_local::ecr::Reference;
    /// let app = Reference::parse("registry.example.com:5000/team/app:v1");
    /// assert_eq!(app.host.as_deref(), Some("registry.example.com:5000"));
    /// assert_eq!((app.repository.as_str(), app.tag.as_deref()), ("team/app", Some("v1")));
    /// ```
    pub fn parse(image: &str) -> Self {
        let (name, digest) = match image.split_once('@') {
            Some((name, digest)) => (name, Some(digest.to_owned())),
            None => (image, None),
        };
        let (host, path) = match name.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => {
                (Some(host.to_owned()), path)
            }
            _ => (None, name),
        };
        let (repository, tag) = match path.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag.to_owned())),
            None => (path, None),
        };
        Self { host, repository: repository.to_owned(), tag, digest }
    }

    /// The name of the same repository's image with this digest.
    pub fn pinned(&self, digest: &str) -> String {
        match &self.host {
            Some(host) => format!("{host}/{}@{digest}", self.repository),
            None => format!("{}@{digest}", self.repository),
        }
    }
}
