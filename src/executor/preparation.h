// Turns a Task into what the supervisor starts: words, environment, files, view.
//
// Writes the script's source, input artifacts and volumes into the task's work_path: `wd` is the
// working directory, `script` the source, `fs` the private layers, `volumes` the volumes of one
// pod, `view` the view for a later engine. Called on an executor's thread.
#pragma once

#include <string>

#include "diag/error.h"
#include "executor/environment.h"
#include "executor/executor.h"
#include "executor/image_facts.h"
#include "executor/program_paths.h"
#include "executor/scratch_folders.h"
#include "executor/view.h"
#include "executor/wire.h"

namespace tiphys::executor {

/// What preparing needs besides the task.
struct PrepareSettings {
  const Lookup& lookup;
  const Images& images;
  std::string home;           // claims and host volumes lie below
  std::string artifact_root;  // the artifact repository of this machine
  ScratchFolders& folders;
  ProgramPaths& programs;
  ImageFacts& image_facts;
  std::string host_paths;  // where hostPath volumes may lie: folders with colons between
  bool may_mount = true;
};

struct Prepared {
  wire::Launch launch;
  View view;
  std::string passed_on;  // a working folder to be given back to settings.folders, or ""
  int exec_error = 0;     // the errno with which the program is known not to start; 0: it may
};

/// Makes everything ready for the start. Errors: the message is the node's; its phase is Error.
[[nodiscard]] diag::Result<Prepared> prepare(const Task& task, const PrepareSettings& settings);

/// The view that prepare() made for this task in an earlier engine.
[[nodiscard]] View prepared_view(const Task& task);

/// `container`, or `script` of a template; null when it has neither.
[[nodiscard]] const value::Value& main_container(const value::Value& template_body);

/// Reads a small file. Errors: kNotFound, kIo, with Go's words (`open P: no such file or
/// directory`).
[[nodiscard]] diag::Result<std::string> read_file(const std::string& path);
/// Writes a file (mode as given). Errors: kIo.
[[nodiscard]] diag::Result<void> write_file(const std::string& path, std::string_view text,
                                            unsigned mode = 0644);

}  // namespace tiphys::executor
