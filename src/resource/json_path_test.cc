// kubectl's JSONPath: texts and errors as kubectl 1.35 prints them of the same object.
#include "resource/json_path.h"

#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::resource {
namespace {

constexpr const char* kPod = R"js({
  "metadata": {"name": "p", "labels": {"a.b/c": "dotted", "x": "1"}},
  "spec": {"containers": [{"name": "main", "image": "i:1", "ports": [{"n": 80}, {"n": 443}]},
                          {"name": "side", "image": "j:2"}],
           "priority": 3, "isOn": true},
  "status": {"phase": "Running",
             "conditions": [{"type": "Ready", "status": "True", "age": 5},
                            {"type": "Initialized", "status": "False", "age": 50}]}})js";

std::string printed(std::string_view path) {
  const auto object = value::parse_json(kPod);
  auto read = JsonPath::parse(path);
  if (!read) return "error: " + read.error().message;
  auto text = read->print(*object);
  return text ? *text : "error: " + text.error().message;
}

TEST(JsonPath, FieldsAndTextBetweenThem) {
  EXPECT_EQ(printed("{.metadata.name}"), "p");
  EXPECT_EQ(printed("name={.metadata.name}, phase={ .status.phase }!"), "name=p, phase=Running!");
  EXPECT_EQ(printed("{$.spec.priority}{\"\\n\"}{@.spec.isOn}"), "3\ntrue");
  EXPECT_EQ(printed(".metadata.name"), ".metadata.name");  // no braces: text
  EXPECT_EQ(printed("{.metadata.none.deeper}"), "");
  EXPECT_EQ(printed("{.metadata.labels.a\\.b/c}{.metadata['name']}"), "dottedp");
}

TEST(JsonPath, ListsAndObjects) {
  EXPECT_EQ(printed("{.spec.containers[*].name}"), "main side");
  EXPECT_EQ(printed("{.spec.containers[0].name} {.spec.containers[-1].name}"), "main side");
  EXPECT_EQ(printed("{.spec.containers[0:1].name}"), "main");
  EXPECT_EQ(printed("{.spec.containers[0:2:2].name}"), "main");
  EXPECT_EQ(printed("{.spec.containers[0]['name','image']}"), "main i:1");
  EXPECT_EQ(printed("{.spec.containers[0,1].image}"), "i:1 j:2");
  EXPECT_EQ(printed("{.spec.containers[0].ports[1]}"), R"({"n":443})");
  EXPECT_EQ(printed("{.metadata.labels.*}"), "dotted 1");
  EXPECT_EQ(printed("{..n}"), "80 443");
}

TEST(JsonPath, Filters) {
  EXPECT_EQ(printed("{.status.conditions[?(@.type==\"Ready\")].status}"), "True");
  EXPECT_EQ(printed("{.status.conditions[?(@.type!='Ready')].status}"), "False");
  EXPECT_EQ(printed("{.status.conditions[?(@.age>10)].type}"), "Initialized");
  EXPECT_EQ(printed("{.status.conditions[?(@.age<=5)].type}"), "Ready");
  EXPECT_EQ(printed("{.spec.containers[?(@.ports)].name}"), "main");
  EXPECT_EQ(printed("{.status.conditions[?(@.type==\"a)b\")].status}"), "");
  EXPECT_EQ(printed("{.status.conditions[?(@.type>1)].status}"),
            "error: incompatible types for comparison");
}

TEST(JsonPath, Ranges) {
  EXPECT_EQ(printed("{range .spec.containers[*]}{.name}={.image}{\";\"}{end}."),
            "main=i:1;side=j:2;.");
  EXPECT_EQ(printed("{range .spec.containers[*]}[{range .ports[*]}<{.n}>{end}]{end}"),
            "[<80><443>][]");
  EXPECT_EQ(printed("{range .spec.none[*]}x{end}y"), "y");
}

TEST(JsonPath, SaysWhatIsWrong) {
  EXPECT_EQ(printed("{.spec.containers[7].name}"),
            "error: array index out of bounds: index 7, length 2");
  EXPECT_EQ(printed("{.spec.containers[2:1]}"),
            "error: array index out of bounds: index 2, length 2");
  EXPECT_EQ(printed("{.metadata[0]}"), "error: map[string]interface {} is not array or slice");
  EXPECT_EQ(printed("{.metadata.name"), "error: unclosed action");
  EXPECT_EQ(printed("{.a[}"), "error: unterminated array");
  EXPECT_EQ(printed("{.a[x]}"), "error: invalid array index x");
  EXPECT_EQ(printed("{.a[?(@.b==1}"), "error: unterminated filter");
  EXPECT_EQ(printed("{end}"), "error: not in range, nothing to end");
  EXPECT_EQ(printed("{metadata}"), "error: unrecognized identifier metadata");
  EXPECT_EQ(printed("{....a}"), "error: invalid multiple recursive descent");
}

}  // namespace
}  // namespace tiphys::resource
