// What a resource template asks for: its action, its manifest and its flags, read as Argo's
// executor gives them to kubectl (`kubectl ACTION FLAGS -f MANIFEST -o json`).
//
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"
#include "value/value.h"

namespace tiphys::resource {

enum class Action { kGet, kCreate, kApply, kReplace, kPatch, kDelete };

/// An object: by its manifest, or by the words on a command line.
struct Target {
  value::Value manifest = {};  // null: it is named
  std::string word = {};       // of its kind: `configmap`
  std::string name = {};       // "": chosen by Command::selector or is_all

  /// metadata.name of the manifest, or the name.
  [[nodiscard]] std::string_view title() const;
};

struct Command {
  Action action = Action::kGet;
  std::vector<Target> targets = {};
  std::string name_space = {};  // of --namespace
  std::string selector = {};    // labels
  bool is_all = false;
  std::string patch_type = {};  // a media type
  std::string patch = {};       // JSON
  std::string validation = "Strict";
  std::string field_manager = "tiphys";
  std::string propagation = "Background";
  std::optional<std::int64_t> grace_seconds = {};
  bool is_missing_fine = false;
  bool is_dry = false;
  bool waits = true;  // for what is deleted to be gone
};

/// What kubectl would say is wrong, as Argo passes it on.
[[nodiscard]] std::string kubectl_error(std::string_view text);

/// `resource` is the template's part; `manifest` the text that it names. Errors: kInvalidManifest
/// with the node's message.
[[nodiscard]] diag::Result<Command> read_command(const value::Value& resource,
                                                 std::string_view manifest);

}  // namespace tiphys::resource
