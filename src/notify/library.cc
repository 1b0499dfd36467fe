#include "notify/library.h"

#include <algorithm>
#include <vector>

namespace tiphys::notify {

namespace {

struct File {
  std::string_view name;
  std::string_view text;
};

constexpr File kFiles[] = {
#include "notify_templates.inc"  // by CMake, see cmake/Embed.cmake
};

std::string_view first_comment(std::string_view text) {
  constexpr std::string_view kMark = "# ";
  if (!text.starts_with(kMark)) return "";
  return text.substr(kMark.size(), text.find('\n') - kMark.size());
}

std::vector<LibraryTemplate> read_files() {
  std::vector<LibraryTemplate> out;
  for (const File& file : kFiles) {
    out.push_back({.name = file.name, .yaml = file.text, .description = first_comment(file.text)});
  }
  std::ranges::sort(out, {}, &LibraryTemplate::name);
  return out;
}

}  // namespace

std::span<const LibraryTemplate> library() {
  static const std::vector<LibraryTemplate> templates = read_files();
  return templates;
}

const LibraryTemplate* find_in_library(std::string_view name) {
  for (const LibraryTemplate& t : library()) {
    if (t.name == name) return &t;
  }
  return nullptr;
}

}  // namespace tiphys::notify
