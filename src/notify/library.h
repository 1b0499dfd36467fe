// The ready templates: ClusterWorkflowTemplates that are part of the program.
//
// `step-notify-webhook` and `step-notify-email` run on an Argo cluster as well; the `notify-KIND`
// send through the outbox. Their texts are the files of templates/, embedded by CMake; a stored
// template of the same name is used in place of one of these.
// Pure.
#pragma once

#include <span>
#include <string_view>

namespace tiphys::notify {

struct LibraryTemplate {
  std::string_view name;         // of the ClusterWorkflowTemplate
  std::string_view yaml;         // its manifest
  std::string_view description;  // the first line of its comment
};

/// All of them, sorted by name.
[[nodiscard]] std::span<const LibraryTemplate> library();

/// The template of this name, or null.
[[nodiscard]] const LibraryTemplate* find_in_library(std::string_view name);

}  // namespace tiphys::notify
