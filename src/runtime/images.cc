#include "runtime/images.h"

#include "spec/yaml_reader.h"
#include "value/json.h"

namespace tiphys::runtime {

namespace {

std::vector<std::string> words_of(const value::Value& list) {
  std::vector<std::string> words;
  for (const value::Value& word : list.list()) words.emplace_back(word.string_or(""));
  return words;
}

}  // namespace

executor::Images stored_images(store::Store& store) {
  executor::Images images;
  auto rows = store.list_objects("ConfigMap", "");
  if (!rows) return images;
  for (const store::ObjectRow& row : *rows) {
    if (row.name != "workflow-controller-configmap") continue;
    auto object = value::parse_json(row.json);
    if (!object) continue;
    auto table = spec::read_yaml((*object)["data"]["images"].string_or(""), {.file = row.name});
    if (!table) continue;
    for (const auto& [image, start] : table->value.map()) {
      images.insert_or_assign(image,
                              executor::ImageStart{.entrypoint = words_of(start["entrypoint"]),
                                                   .cmd = words_of(start["cmd"])});
    }
  }
  return images;
}

}  // namespace tiphys::runtime
