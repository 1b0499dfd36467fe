// References to nodes must stay valid while others are made.
#include "engine/node_list.h"

#include <gtest/gtest.h>

#include <string>

namespace tiphys::engine {
namespace {

TEST(NodeList, KeepsNodesInTheirPlace) {
  NodeList nodes;
  EXPECT_TRUE(nodes.empty());
  Node& first = nodes.emplace_back();
  first.name = "0";
  for (int i = 1; i < 100; ++i) nodes.emplace_back().name = std::to_string(i);
  EXPECT_EQ(&first, &nodes[0]);
  ASSERT_EQ(nodes.size(), 100U);
  for (std::size_t i = 0; i < nodes.size(); ++i) EXPECT_EQ(nodes[i].name, std::to_string(i));
  nodes.clear();
  EXPECT_TRUE(nodes.empty());
  EXPECT_EQ(nodes.emplace_back().name, "") << "a new one";
}

}  // namespace
}  // namespace tiphys::engine
