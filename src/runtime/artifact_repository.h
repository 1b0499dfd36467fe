// The artifact repository of a workflow: where artifacts go whose template does not say.
//
// As in Argo, in this order: spec.artifactRepositoryRef; the default of the ConfigMap
// `artifact-repositories` (its annotation names the key); `artifactRepository` of the ConfigMap
// `workflow-controller-configmap`. Without any of them artifacts lie on this machine.
#pragma once

#include <string>

#include "diag/error.h"
#include "store/store.h"
#include "value/value.h"
#include "vars/scope.h"

namespace tiphys::runtime {

/// The repository, `{s3: {...}, archiveLogs: ...}`, or null. `ref` is spec.artifactRepositoryRef.
/// Errors: kNotFound when a repository that is asked for is not there, kInvalidManifest.
[[nodiscard]] diag::Result<value::Value> find_repository(store::Store& store,
                                                         const std::string& name_space,
                                                         const value::Value& ref);

/// True if the template reads or writes artifacts.
[[nodiscard]] bool uses_artifacts(const value::Value& body);

/// The template with the repository's location where its own is missing or has only a key.
/// `variables` are those of a keyFormat, `pod.name` among them. Errors: a bad tag in it.
[[nodiscard]] diag::Result<value::Value> with_repository(const value::Value& body,
                                                         const value::Value& repository,
                                                         const vars::Scope& variables);

}  // namespace tiphys::runtime
