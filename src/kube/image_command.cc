#include "kube/image_command.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace tiphys::kube {
namespace {

using value::List;
using value::Map;
using value::Value;

// container_words() knows these by what a machine without images runs for them; the images
// themselves start a script that looks at its arguments.
constexpr std::string_view kStartedByScripts[] = {"node", "bash"};

// The image's own words, without any of the container's.
diag::Result<std::vector<std::string>> own_words(const Value& container, bool has_args,
                                                 const executor::Images& images) {
  Map image{{"image", container["image"]}};
  if (has_args) image.set("args", List{"x"});
  TRY(std::vector<std::string> words,
      executor::container_words(image, executor::Environment(), images));
  if (has_args) words.pop_back();
  return words;
}

// `docker.io/library/node:20` is `node`.
std::string_view short_name(std::string_view image) {
  image = image.substr(0, image.find('@'));
  for (const std::string_view prefix : {"docker.io/", "library/"}) {
    if (image.starts_with(prefix)) image.remove_prefix(prefix.size());
  }
  const std::size_t slash = image.rfind('/');
  return image.substr(0, image.find(':', slash == std::string_view::npos ? 0 : slash));
}

bool is_known(const Value& container, const executor::Images& images) {
  const std::string_view image = container["image"].string_or("");
  const std::string_view name = short_name(image);
  if (std::ranges::find(kStartedByScripts, name) != std::end(kStartedByScripts)) {
    return images.contains(image) || images.contains(name);
  }
  return own_words(container, true, images).has_value();
}

}  // namespace

std::vector<std::string> unknown_images(const executor::Task& task,
                                        const executor::Images& images) {
  const Value& body = task.template_body;
  std::vector<std::string> unknown;
  const auto add = [&](const Value& container) {
    const std::string_view image = container["image"].string_or("");
    if (image.empty() || !container["command"].list().empty()) return;
    if (std::ranges::find(unknown, image) != unknown.end() || is_known(container, images)) return;
    unknown.emplace_back(image);
  };
  add(body["container"]);
  add(body["script"]);
  for (const Value& container : body["containerSet"]["containers"].list()) add(container);
  for (const Value& container : body["sidecars"].list()) add(container);
  return unknown;
}

diag::Result<std::vector<std::string>> image_words(const Value& container,
                                                   const executor::Images& images) {
  const List& args = container["args"].list();
  TRY(std::vector<std::string> words, own_words(container, !args.empty(), images));
  for (std::string& word : words) word = literal(word);  // a runtime takes them as they are
  for (const Value& arg : args) words.emplace_back(arg.string_or(""));
  return words;
}

std::string literal(const std::string& text) {
  std::string out;
  for (const char c : text) out.append(c == '$' ? "$$" : std::string(1, c));
  return out;
}

}  // namespace tiphys::kube
