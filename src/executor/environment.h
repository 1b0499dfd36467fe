// The environment, the words and the program of a container, as Kubernetes and Argo's executor make
// them.
//
// Facts from the Kubernetes API reference (envFrom first, then env, later ones win; `$(NAME)` is
// replaced by what was defined before, `$$` is a dollar sign, unknown names stay) and from Argo's
// executor (ARGO_* variables). No I/O but the Lookup's; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diag/error.h"
#include "executor/executor.h"
#include "value/value.h"

namespace tiphys::executor {

/// Names and values in the order of their first definition; the last value wins.
class Environment {
 public:
  void set(std::string_view name, std::string value);
  /// nullptr when there is no such variable.
  [[nodiscard]] const std::string* find(std::string_view name) const;
  /// `NAME=value` each.
  [[nodiscard]] std::vector<std::string> lines() const;
  /// `text` with each `$(NAME)` of a defined variable replaced, and `$$` turned into `$`.
  [[nodiscard]] std::string expand(std::string_view text) const;

 private:
  using Variable = std::pair<std::string, std::string>;
  std::vector<Variable> all_;  // so few that an index costs more than it saves
};

/// The variables that a container's `env` and `envFrom` define, and Argo's own.
/// Errors: kNotFound, with the kubelet's words, for a secret or config map that is not optional.
[[nodiscard]] diag::Result<Environment> container_environment(const Task& task,
                                                              const value::Value& container,
                                                              std::string_view container_name,
                                                              const Lookup& lookup);

/// Adds what a host process needs and the container did not define: PATH, HOME, locale, time zone,
/// proxies. Everything else of the engine's environment stays with the engine: it may hold secrets.
void add_host_environment(Environment& environment);

/// What an image starts when the manifest has no command.
struct ImageStart {
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
};
using Images = std::map<std::string, ImageStart, std::less<>>;

/// The words to run: command and args with `$(NAME)` replaced; without a command what the image
/// starts, looked for in `images`, then in a small table of well-known ones, by full name, then
/// without registry, tag and digest. Errors: kNotFound with Argo's words when nobody knows.
[[nodiscard]] diag::Result<std::vector<std::string>> container_words(const value::Value& container,
                                                                     const Environment& environment,
                                                                     const Images& images);

/// Where execve looks for `word`: itself when it has a slash, else each folder of the environment's
/// PATH.
[[nodiscard]] std::vector<std::string> program_candidates(const std::string& word,
                                                          const Environment& environment);

}  // namespace tiphys::executor
