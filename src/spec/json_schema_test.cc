// Goal: the schema says what the decoder does, for every struct that a manifest can reach.
#include "spec/json_schema.h"

#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::spec {
namespace {

using value::Value;

TEST(JsonSchema, FollowsTheDecodeTables) {
  const Value schema = json_schema();
  const Value& definitions = schema["definitions"];
  EXPECT_EQ(definitions["v1alpha1.Template"]["properties"]["steps"],
            *value::parse_json(R"({"type":"array","items":{"type":"array","items":)"
                               R"({"$ref":"#/definitions/v1alpha1.WorkflowStep"}}})"));
  EXPECT_EQ(definitions["v1alpha1.LifecycleHook"]["properties"]["expression"]["type"],
            Value("string"));
  EXPECT_EQ(definitions["v1alpha1.RetryStrategy"]["properties"]["limit"]["type"],
            (value::List{"integer", "string"}));
  EXPECT_EQ(definitions["v1.Container"]["additionalProperties"], Value(false));
}

void check_references(const Value& v, const Value& definitions) {
  if (const Value& to = v["$ref"]; to.is_string()) {
    const std::string name = to.as_string().substr(std::string("#/definitions/").size());
    EXPECT_TRUE(definitions[name].is_map()) << name;
  }
  for (const Value& element : v.list()) check_references(element, definitions);
  for (const auto& [key, member] : v.map()) check_references(member, definitions);
}

TEST(JsonSchema, HasWhatItRefersTo) {
  const Value schema = json_schema();
  check_references(schema, schema["definitions"]);
}

}  // namespace
}  // namespace tiphys::spec
