// A store that is moved is compared row by row: what came out otherwise is seen, and not committed.
#include "store/transfer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace tiphys::store {

namespace {

/// Tables in memory that can lose or change what they are given.
class Fake final : public Tables {
 public:
  diag::Result<void> read(const Table& table,
                          const std::function<diag::Result<void>(const Row&)>& visit) override {
    for (const Row& row : rows[table.name]) TRY_VOID(visit(row));
    return {};
  }
  diag::Result<void> write(const Table& table, const Row& row) override {
    auto& all = rows[table.name];
    if (loses_last && table.name == std::string_view("events")) all.clear();
    all.push_back(row);
    if (changes && table.name == std::string_view("events")) all.back().front().text += "!";
    return {};
  }
  diag::Result<void> commit() override {
    is_committed = true;
    return {};
  }
  std::map<std::string, std::vector<Row>> rows;
  bool loses_last = false;
  bool changes = false;
  bool is_committed = false;
};

struct TransferTest : testing::Test {
  void SetUp() override {
    from.rows["events"] = {{{.text = "u"}, {.number = 1}, {.text = "e"}},
                           {{.text = "u"}, {.number = 2}, {.text = "f"}}};
    from.rows["objects"] = {{{.text = "k"}, {}, {.text = "n"}, {.text = "{}"}, {.number = 7}}};
  }
  Fake from;
  Fake to;
};

TEST_F(TransferTest, MovesAllRowsAndCounts) {
  const auto moved = move_store(from, to);
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_TRUE(to.is_committed);
  EXPECT_EQ(to.rows["events"].size(), 2U);
  for (const Moved& m : *moved) {
    EXPECT_EQ(m.rows, from.rows[m.table].size()) << m.table;
    EXPECT_EQ(m.digest.size(), 64U);
  }
}

TEST_F(TransferTest, SeesWhatIsLostOrChanged) {
  for (bool Fake::* fault : {&Fake::loses_last, &Fake::changes}) {
    Fake bad;
    bad.*fault = true;
    const auto refused = move_store(from, bad);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, diag::Code::kDamaged);
    EXPECT_THAT(refused.error().message, testing::HasSubstr("the table 'events' came out"));
    EXPECT_FALSE(bad.is_committed);
  }
}

TEST_F(TransferTest, FillsAnEmptyStoreOnly) {
  to.rows["rule_memory"] = {{{.text = "r"}, {}, {}, {}, {}}};
  const auto refused = move_store(from, to);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, diag::Code::kConflict);
  EXPECT_TRUE(to.rows["events"].empty());
}

TEST_F(TransferTest, ADigestTellsRowsThatRunIntoEachOther) {
  Fake other;
  other.rows["specs"] = {{{.text = "ab"}, {.text = "c"}}};
  from.rows = {{"specs", {{{.text = "a"}, {.text = "bc"}}}}};
  Fake a;
  Fake b;
  EXPECT_NE((*move_store(from, a))[1].digest, (*move_store(other, b))[1].digest);
}

}  // namespace

}  // namespace tiphys::store
