// Files on the command line: read, checked, sorted by kind.
#pragma once

#include <string>
#include <vector>

#include "cli/overrides.h"
#include "diag/error.h"
#include "runtime/submit.h"
#include "spec/manifest.h"
#include "store/store.h"

namespace tiphys::cli {

/// A text that was read, to show lines of it in messages.
struct Source {
  std::string file;
  std::string text;
};

/// All documents of the files; `-` is stdin, a folder gives its .yaml, .yml and .json files but not
/// NAME.test.yaml.
struct Documents {
  std::vector<spec::Manifest> manifests;
  std::vector<Source> sources;
  std::vector<diag::Diagnostic> findings;

  [[nodiscard]] bool has_errors() const;
};

/// The whole of a file; `-` is stdin. Errors: kIo.
[[nodiscard]] diag::Result<std::string> read_file(const std::string& file);

/// Errors: kIo for a file that cannot be read; what is wrong inside of the files is in `findings`.
/// `unknown`: whether a field that Argo does not know is an error (lint, templates) or has just no
/// effect (run, submit), as for the Kubernetes API.
[[nodiscard]] diag::Result<Documents> read_documents(
    const std::vector<std::string>& files,
    spec::UnknownFields unknown = spec::UnknownFields::kError);

/// Moves what the parameter file holds behind the parameters of -p. Errors: kIo, kInvalidManifest.
[[nodiscard]] diag::Result<void> load_parameter_file(Overrides& overrides);

/// The Workflows among the documents, each with the templates and ConfigMaps given beside it.
/// Errors: kInvalidManifest `no workflow found in given files`; those of the overrides.
[[nodiscard]] diag::Result<std::vector<runtime::Submission>> make_submissions(
    const Documents& documents, const Overrides& overrides, const std::string& defaults_file);

/// The namespace of the first workflow; empty when it names none.
[[nodiscard]] std::string space_of(const std::vector<runtime::Submission>& submissions);

/// Puts the Secrets among the documents into the secret file; `name_space` is for those that name
/// none. Errors: kInvalidManifest for bad base64, kIo.
[[nodiscard]] diag::Result<void> keep_secrets(const Documents& documents,
                                              const std::string& name_space,
                                              const std::string& secrets_path);

/// Puts one Secret document into the secret file.
[[nodiscard]] diag::Result<void> keep_secret(const value::Value& secret,
                                             const std::string& name_space,
                                             const std::string& secrets_path);

}  // namespace tiphys::cli
