#include "spec/names.h"

#include <gtest/gtest.h>

#include "spec/node_id.h"

namespace tiphys::spec {
namespace {

// Goal: each kind of name has its own characters and length.
TEST(Names, Rules) {
  EXPECT_TRUE(check_dns1123_subdomain("my-wf.a1").empty());
  EXPECT_EQ(check_dns1123_subdomain("a..b").size(), 1U);
  EXPECT_EQ(check_dns1123_subdomain(std::string(254, 'A')).size(), 2U);
  EXPECT_FALSE(check_dns1123_label("a.b").empty());
  EXPECT_TRUE(check_label_value("").empty());
  EXPECT_FALSE(check_label_value("a b").empty());
  EXPECT_TRUE(check_qualified_name("example.com/My_name").empty());
  EXPECT_FALSE(check_qualified_name("/name").empty());
  EXPECT_FALSE(check_qualified_name("a/b/c").empty());
  EXPECT_TRUE(check_parameter_name("my_param-1").empty());
  EXPECT_FALSE(check_parameter_name("a.b").empty());
  EXPECT_FALSE(check_field_name("-a").empty());
  EXPECT_FALSE(check_field_name("a_b").empty());
}

// Goal: a step's name may hold stand-ins for unknown values, but only whole ones.
TEST(Names, StepsWithPlaceholders) {
  EXPECT_TRUE(check_step_name("run-__argo__internal__placeholder-12-x").empty());
  EXPECT_FALSE(check_step_name("__argo__internal__placeholder-").empty());
}

// Goal: ids and pod names are Argo's.
TEST(NodeId, AsArgo) {
  EXPECT_EQ(node_id("wf", "wf"), "wf");
  EXPECT_EQ(node_id("wf", "wf.a"), "wf-2962115457");
  EXPECT_EQ(pod_name("wf", "wf.a", "main"), "wf-main-2962115457");
  EXPECT_EQ(pod_name("wf", "wf", "main"), "wf");
  EXPECT_EQ(pod_name(std::string(300, 'w'), "x", "t").size(), 253U);
}

}  // namespace
}  // namespace tiphys::spec
