// Files on the command line: read, checked, sorted by kind, and changed by the flags of submit.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "diag/error.h"
#include "runtime/submit.h"
#include "spec/manifest.h"
#include "store/store.h"

namespace tiphys::cli {

/// The flags that change a workflow before it is submitted.
struct Overrides {
  std::vector<std::string> parameters;  // -p k=v
  std::string parameter_file;           // -f
  std::string labels;                   // -l a=b,c=d
  std::string name;
  std::string generate_name;
  std::string entrypoint;
  std::string service_account;
  std::string name_space;
  std::string scheduled_time;
  std::optional<int> priority;
};

/// A text that was read, to show lines of it in messages.
struct Source {
  std::string file;
  std::string text;
};

/// All documents of the files; `-` is stdin, a folder gives its .yaml, .yml and .json files.
struct Documents {
  std::vector<spec::Manifest> manifests;
  std::vector<Source> sources;
  std::vector<diag::Diagnostic> findings;

  [[nodiscard]] bool has_errors() const;
};

/// Errors: kIo for a file that cannot be read; what is wrong inside of the files is in `findings`.
/// `unknown`: whether a field that Argo does not know is an error (lint, templates) or has just no
/// effect (run, submit), as for the Kubernetes API.
[[nodiscard]] diag::Result<Documents> read_documents(
    const std::vector<std::string>& files,
    spec::UnknownFields unknown = spec::UnknownFields::kError);

/// The Workflows among the documents, each with the templates, ConfigMaps and Secrets given beside
/// it. Secrets are put into the secret file. Errors: kInvalidManifest `no workflow found in given
/// files`; those of the overrides.
[[nodiscard]] diag::Result<std::vector<runtime::Submission>> make_submissions(
    const Documents& documents, const Overrides& overrides, const std::string& defaults_file,
    const std::string& secrets_path);

/// Applies the flags to a Workflow object. Errors: kInvalidManifest (`expected parameter of the
/// form: NAME=VALUE ...`), kIo.
[[nodiscard]] diag::Result<value::Value> apply_overrides(const value::Value& workflow,
                                                         const Overrides& overrides);

/// Puts a Secret document into the secret file. Errors: kInvalidManifest for bad base64, kIo.
[[nodiscard]] diag::Result<void> keep_secret(const value::Value& secret,
                                             const std::string& name_space,
                                             const std::string& secrets_path);

}  // namespace tiphys::cli
