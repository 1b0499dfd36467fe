// What every store promises (store.h), tested on each of them: batches are whole, rows come back as
// written, names are unique, other connections see what was committed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "postgres_server.h"
#include "store/memory.h"
#include "store/postgres.h"
#include "store/sqlite.h"

namespace tiphys::store {

namespace {

namespace fs = std::filesystem;

/// A kind of store: makes further connections to the one store of a test.
class World {
 public:
  virtual ~World() = default;
  virtual std::unique_ptr<Store> connect() = 0;
};

class MemoryWorld final : public World {
 public:
  std::unique_ptr<Store> connect() override { return root_.another(); }

 private:
  MemoryStore root_;
};

class SqliteWorld final : public World {
 public:
  SqliteWorld() {
    std::string path = (fs::temp_directory_path() / "tiphys-store-XXXXXX").string();
    if (mkdtemp(path.data()) != nullptr) folder_ = path;
  }
  ~SqliteWorld() override { fs::remove_all(folder_); }
  std::unique_ptr<Store> connect() override {
    auto store = open_sqlite(folder_ / "state.db");
    if (store) return std::move(*store);
    ADD_FAILURE() << store.error().message;
    return nullptr;
  }

 private:
  fs::path folder_;
};

class PostgresWorld final : public World {
 public:
  std::unique_ptr<Store> connect() override {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    for (;;) {  // the server has just been started
      auto store = open_postgres(server_.url());
      if (store) return std::move(*store);
      if (std::chrono::steady_clock::now() > end) {
        ADD_FAILURE() << store.error().message;
        return nullptr;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

 private:
  test::PostgresServer server_;
};

/// Null where no server is installed.
std::unique_ptr<World> make_postgres_world() {
  if (test::PostgresServer::programs().empty()) return nullptr;
  return std::make_unique<PostgresWorld>();
}

struct Kind {
  const char* name;
  std::function<std::unique_ptr<World>()> make;
};

WorkflowRow workflow(const std::string& name, std::int64_t created,
                     const std::string& where = "a") {
  return {.uid = "uid-" + where + "-" + name,
          .name_space = where,
          .name = name,
          .created_at = {created},
          .metadata_json = R"({"name":"x"})",
          .spec_json = R"({"entrypoint":"main"})",
          .status_json = "{}"};
}

std::vector<std::string> names_of(const diag::Result<std::vector<WorkflowRow>>& rows) {
  std::vector<std::string> names;
  if (!rows) return {rows.error().message};
  for (const WorkflowRow& row : *rows) names.push_back(row.name);
  return names;
}

template <typename T>
testing::AssertionResult succeeds(const diag::Result<T>& result) {
  if (result) return testing::AssertionSuccess();
  return testing::AssertionFailure() << result.error().message;
}

template <typename T>
testing::AssertionResult fails(const diag::Result<T>& result, diag::Code code) {
  if (!result && result.error().code == code) return testing::AssertionSuccess();
  return testing::AssertionFailure() << (result ? "it succeeded" : result.error().message);
}

class StoreContract : public testing::TestWithParam<Kind> {
 protected:
  void create(const WorkflowRow& row) {
    ASSERT_TRUE(succeeds(store_->create_workflow(row, {row.uid, 1, "begin"})));
  }

  void SetUp() override {
    if (!world_) GTEST_SKIP() << "no PostgreSQL server is installed (postgresql-15)";
    store_ = world_->connect();
    ASSERT_TRUE(store_);
  }

  std::unique_ptr<World> world_ = GetParam().make();
  std::unique_ptr<Store> store_;
};

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST_P(StoreContract, AWorkflowComesBackAsItWasWritten) {
  WorkflowRow row = workflow("w", 5);
  row.phase = "Running";
  row.message = "it's \"quoted\" \xE2\x9C\x94";
  row.progress = "1/2";
  row.started_at = {6};
  row.finished_at = {7};
  row.suspended = true;
  create(row);
  const auto found = store_->find_workflow("a", "w");
  ASSERT_TRUE(succeeds(found));
  EXPECT_EQ(found->uid, row.uid);
  EXPECT_EQ(found->name_space, "a");
  EXPECT_EQ(found->name, "w");
  EXPECT_EQ(found->phase, row.phase);
  EXPECT_EQ(found->message, row.message);
  EXPECT_EQ(found->progress, row.progress);
  EXPECT_EQ(found->created_at.ns, 5);
  EXPECT_EQ(found->started_at.ns, 6);
  EXPECT_EQ(found->finished_at.ns, 7);
  EXPECT_TRUE(found->suspended);
  EXPECT_EQ(found->metadata_json, row.metadata_json);
  EXPECT_EQ(found->spec_json, row.spec_json);
  EXPECT_EQ(found->status_json, "{}");
  const auto events = store_->load_events(row.uid);
  ASSERT_TRUE(succeeds(events));
  ASSERT_THAT(*events, SizeIs(1));
  EXPECT_EQ(events->front().payload, "begin");
}

TEST_P(StoreContract, ANameIsUniqueInItsNamespaceOnly) {
  create(workflow("w", 1));
  create(workflow("w", 2, "b"));
  WorkflowRow again = workflow("w", 3);
  again.uid = "other";
  const auto refused = store_->create_workflow(again, {"other", 1, "begin"});
  EXPECT_TRUE(fails(refused, diag::Code::kAlreadyExists));
  EXPECT_EQ(refused.error().message, "workflow 'w' already exists");
  EXPECT_THAT(*store_->load_events("other"), IsEmpty()) << "half of a creation was kept";
  EXPECT_TRUE(
      fails(store_->commit({.workflows = {again}, .nodes = {{"other", 0, "{}"}}, .events = {}}),
            diag::Code::kAlreadyExists));
  EXPECT_THAT(*store_->load_nodes("other"), IsEmpty()) << "half of a commit was kept";
}

TEST_P(StoreContract, FindsByNameInOneNamespaceOrTheNewestOfAny) {
  create(workflow("w", 1));
  create(workflow("w", 2, "b"));
  EXPECT_EQ(store_->find_workflow("a", "w")->name_space, "a");
  EXPECT_EQ(store_->find_workflow("", "w")->name_space, "b");
  EXPECT_TRUE(fails(store_->find_workflow("a", "v"), diag::Code::kNotFound));
  EXPECT_TRUE(fails(store_->find_workflow("c", "w"), diag::Code::kNotFound));
}

TEST_P(StoreContract, ListsNewestFirst) {
  create(workflow("old", 1));
  create(workflow("new", 3));
  create(workflow("b-same", 2));
  create(workflow("a-same", 2));
  create(workflow("far", 9, "b"));
  EXPECT_THAT(names_of(store_->list_workflows("a", true)),
              ElementsAre("new", "a-same", "b-same", "old"));
  EXPECT_THAT(names_of(store_->list_workflows("", true)),
              ElementsAre("far", "new", "a-same", "b-same", "old"));
  EXPECT_THAT(names_of(store_->list_workflows("c", false)), IsEmpty());
}

TEST_P(StoreContract, ABriefListLeavesOutTheLongTexts) {
  create(workflow("w", 1));
  const auto brief = store_->list_workflows("", true);
  ASSERT_TRUE(succeeds(brief));
  EXPECT_EQ(brief->front().metadata_json, R"({"name":"x"})");
  EXPECT_EQ(brief->front().spec_json, "");
  EXPECT_EQ(brief->front().status_json, "");
  const auto whole = store_->list_workflows("", false);
  ASSERT_TRUE(succeeds(whole));
  EXPECT_EQ(whole->front().spec_json, R"({"entrypoint":"main"})");
  EXPECT_EQ(whole->front().status_json, "{}");
}

TEST_P(StoreContract, UnfinishedOnesAreThoseWithoutAnEnd) {
  create(workflow("b", 2));
  create(workflow("a", 1));
  WorkflowRow over = workflow("over", 0);
  over.finished_at = {9};
  create(over);
  EXPECT_THAT(names_of(store_->unfinished_workflows()), ElementsAre("a", "b"));
  WorkflowRow b = workflow("b", 2);
  b.finished_at = {9};
  ASSERT_TRUE(succeeds(store_->commit({.workflows = {b}, .nodes = {}, .events = {}})));
  EXPECT_THAT(names_of(store_->unfinished_workflows()), ElementsAre("a"));
}

TEST_P(StoreContract, ThoseCreatedSinceATimeAreFoundNewestFirst) {
  for (const auto& [name, time] : {std::pair{"old", 1}, {"b", 3}, {"a", 2}}) {
    create(workflow(name, time));
  }
  EXPECT_THAT(names_of(store_->created_since({2})), ElementsAre("b", "a"));
  EXPECT_THAT(names_of(store_->created_since({4})), ElementsAre());
  EXPECT_EQ(store_->created_since({3})->front().spec_json, R"({"entrypoint":"main"})");
}

TEST_P(StoreContract, ACommitKeepsTextsThatAreGivenEmpty) {
  create(workflow("w", 1));
  WorkflowRow row = workflow("w", 1);
  row.phase = "Succeeded";
  row.metadata_json.clear();
  row.spec_json.clear();
  row.status_json = R"({"phase":"Succeeded"})";
  ASSERT_TRUE(succeeds(store_->commit({.workflows = {row}, .nodes = {}, .events = {}})));
  auto found = store_->find_workflow("", "w");
  EXPECT_EQ(found->phase, "Succeeded");
  EXPECT_EQ(found->metadata_json, R"({"name":"x"})");
  EXPECT_EQ(found->spec_json, R"({"entrypoint":"main"})");
  EXPECT_EQ(found->status_json, R"({"phase":"Succeeded"})");
  row.spec_json = R"({"suspend":true})";
  row.metadata_json = "{}";
  ASSERT_TRUE(succeeds(store_->commit({.workflows = {row}, .nodes = {}, .events = {}})));
  found = store_->find_workflow("", "w");
  EXPECT_EQ(found->spec_json, R"({"suspend":true})");
  EXPECT_EQ(found->metadata_json, "{}");
}

TEST_P(StoreContract, ACommitWritesEventsNodesAndTheWorkflow) {
  create(workflow("w", 1));
  const std::string uid = workflow("w", 1).uid;
  ASSERT_TRUE(succeeds(store_->commit({.workflows = {workflow("w", 1)},
                                       .nodes = {{uid, 1, "one"}, {uid, 0, "zero"}},
                                       .events = {{uid, 3, "c"}, {uid, 2, "b"}}})));
  ASSERT_TRUE(
      succeeds(store_->commit({.workflows = {}, .nodes = {{uid, 1, "uno"}}, .events = {}})));
  std::vector<std::string> texts;
  const auto nodes = store_->load_nodes(uid);
  const auto events = store_->load_events(uid);
  ASSERT_TRUE(succeeds(nodes));
  ASSERT_TRUE(succeeds(events));
  for (const NodeRow& n : *nodes) texts.push_back(n.record);
  for (const EventRow& e : *events) texts.push_back(e.payload);
  EXPECT_THAT(texts, ElementsAre("zero", "uno", "begin", "b", "c"));
}

TEST_P(StoreContract, ShowsTheRecordsOfOthersThatHoldAText) {
  create(workflow("w", 1));
  create(workflow("v", 2));
  const std::string own = workflow("w", 1).uid;
  const std::string other = workflow("v", 2).uid;
  ASSERT_TRUE(succeeds(
      store_->commit({.nodes = {{own, 0, "a text"}, {other, 0, "b text"}, {other, 1, "c"}}})));
  std::vector<std::string> seen;
  const auto see = [&seen](const std::string& record) { seen.push_back(record); };
  ASSERT_TRUE(succeeds(store_->each_record_with("text", own, see)));
  EXPECT_THAT(seen, ElementsAre("b text"));
  ASSERT_TRUE(succeeds(store_->each_record_with("text", "nobody", see)));
  EXPECT_THAT(seen, SizeIs(3));
}

TEST_P(StoreContract, VoidedNodesGoBeforeTheNewOnesCome) {
  create(workflow("w", 1));
  const std::string uid = workflow("w", 1).uid;
  ASSERT_TRUE(succeeds(
      store_->commit({.workflows = {}, .nodes = {{uid, 0, "a"}, {uid, 1, "b"}}, .events = {}})));
  Batch retry{.workflows = {}, .nodes = {{uid, 0, "c"}}, .events = {}};
  retry.void_nodes_of = {uid};
  ASSERT_TRUE(succeeds(store_->commit(retry)));
  const auto nodes = store_->load_nodes(uid);
  ASSERT_THAT(*nodes, SizeIs(1));
  EXPECT_EQ(nodes->front().record, "c");
}

TEST_P(StoreContract, CommandsComeOldestFirstAndGoWithTheCommitThatDidThem) {
  create(workflow("w", 1));
  for (const char* verb : {"suspend", "resume"}) {
    ASSERT_TRUE(succeeds(store_->add_command(
        {.id = 0, .uid = "u", .verb = verb, .arguments_json = "{}", .created_at = {4}})));
  }
  ASSERT_TRUE(succeeds(store_->add_command(
      {.id = 0, .uid = "v", .verb = "stop", .arguments_json = R"({"x":1})", .created_at = {5}})));
  const auto of_u = store_->load_commands("u");
  ASSERT_THAT(*of_u, SizeIs(2));
  EXPECT_EQ((*of_u)[0].verb, "suspend");
  EXPECT_EQ((*of_u)[1].verb, "resume");
  const auto all = store_->load_commands("");
  ASSERT_THAT(*all, SizeIs(3));
  EXPECT_EQ((*all)[2].arguments_json, R"({"x":1})");
  EXPECT_EQ((*all)[2].created_at.ns, 5);
  Batch done;
  done.done_commands = {(*of_u)[0].id};
  ASSERT_TRUE(succeeds(store_->commit(done)));
  EXPECT_THAT(*store_->load_commands("u"), SizeIs(1));
  ASSERT_TRUE(succeeds(store_->add_command(
      {.id = 0, .uid = "u", .verb = "stop", .arguments_json = "", .created_at = {6}})));
  EXPECT_GT(store_->load_commands("u")->back().id, (*all)[2].id) << "an id was used twice";
}

TEST_P(StoreContract, ADeletedWorkflowLeavesNothing) {
  create(workflow("w", 1));
  create(workflow("stays", 1));
  const std::string uid = workflow("w", 1).uid;
  ASSERT_TRUE(succeeds(store_->commit({.workflows = {}, .nodes = {{uid, 0, "a"}}, .events = {}})));
  ASSERT_TRUE(succeeds(store_->add_command(
      {.id = 0, .uid = uid, .verb = "stop", .arguments_json = "", .created_at = {}})));
  ASSERT_TRUE(succeeds(store_->delete_workflow(uid)));
  EXPECT_THAT(names_of(store_->list_workflows("", true)), ElementsAre("stays"));
  EXPECT_THAT(*store_->load_nodes(uid), IsEmpty());
  EXPECT_THAT(*store_->load_events(uid), IsEmpty());
  EXPECT_THAT(*store_->load_commands(""), IsEmpty());
  EXPECT_TRUE(fails(store_->delete_workflow(uid), diag::Code::kNotFound));
  create(workflow("w", 2));  // the name is free again
  EXPECT_EQ(store_->find_workflow("", "w")->spec_json, R"({"entrypoint":"main"})");
}

TEST_P(StoreContract, ADeliveryComesBackWithItsAttemptsAndADeadOneOutlivesItsWorkflow) {
  create(workflow("wf", 1));
  DeliveryRow row{.id = "msg_1",
                  .uid = "uid-a-wf",
                  .name_space = "a",
                  .workflow = "wf",
                  .node = "wf.onExit",
                  .channel = "ops",
                  .kind = "webhook",
                  .destination = "",
                  .state = "pending",
                  .created_at = {1},
                  .next_at = {2},
                  .payload = "{\"event\":1}"};
  ASSERT_TRUE(store_->commit({.deliveries = {row}}));
  row.state = "dead";
  row.attempts = 1;
  row.status = 500;
  row.reason = "no";
  row.finished_at = {9};
  row.payload.clear();  // keeps what is there
  ASSERT_TRUE(store_->commit({.deliveries = {row},
                              .attempts = {{.delivery = "msg_1",
                                            .number = 1,
                                            .at = {3},
                                            .latency = {4},
                                            .status = 500,
                                            .answer = "oh",
                                            .error = ""}}}));
  const auto found = store_->load_deliveries({.workflow = "wf", .state = "dead"});
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().reason, "no");
  EXPECT_EQ(found->front().attempts, 1U);
  EXPECT_EQ(found->front().finished_at.ns, 9);
  EXPECT_TRUE(store_->load_deliveries({.state = "pending"})->empty());
  EXPECT_TRUE(store_->load_deliveries({.channel = "other"})->empty());
  EXPECT_EQ(*store_->delivery_payload("msg_1"), "{\"event\":1}");
  ASSERT_EQ(store_->load_attempts("msg_1")->size(), 1U);
  EXPECT_EQ(store_->load_attempts("msg_1")->front().answer, "oh");
  ASSERT_TRUE(store_->delete_workflow("uid-a-wf"));
  EXPECT_EQ(store_->load_deliveries({})->size(), 1U);
  EXPECT_EQ(store_->load_attempts("msg_1")->size(), 1U);
  EXPECT_EQ(*store_->delivery_payload("msg_1"), "{\"event\":1}");
  EXPECT_EQ(*store_->prune_deliveries({.delivered_before = {100}, .dead_before = {100}}), 1U);
  EXPECT_TRUE(store_->load_deliveries({})->empty());
  EXPECT_TRUE(store_->load_attempts("msg_1")->empty());
  EXPECT_FALSE(store_->delivery_payload("msg_1"));
}

TEST_P(StoreContract, WhatWasToldGoesWithItsWorkflowAndWhatIsStillToBeToldStays) {
  create(workflow("wf", 1));
  Batch batch;
  for (const char* state : {"pending", "delivered", "discarded"}) {
    batch.deliveries.push_back({.id = std::string("msg_") + state,
                                .uid = "uid-a-wf",
                                .name_space = "a",
                                .workflow = "wf",
                                .node = "wf",
                                .channel = "c",
                                .kind = "webhook",
                                .destination = "d",
                                .state = state,
                                .created_at = {1},
                                .payload = "{}"});
  }
  ASSERT_TRUE(succeeds(store_->commit(batch)));
  ASSERT_TRUE(store_->delete_workflow("uid-a-wf"));
  const auto left = store_->load_deliveries({});
  ASSERT_EQ(left->size(), 1U);
  EXPECT_EQ(left->front().id, "msg_pending");
  EXPECT_EQ(*store_->delivery_payload("msg_pending"), "{}");
}

TEST_P(StoreContract, OldDeliveriesGoAndStayCounted) {
  create(workflow("wf", 1));
  const auto row = [](const char* id, const char* state, std::int64_t finished_at) {
    return DeliveryRow{.id = id,
                       .uid = "uid-a-wf",
                       .name_space = "a",
                       .workflow = "wf",
                       .node = "",
                       .channel = "ops",
                       .kind = "webhook",
                       .destination = "",
                       .state = state,
                       .attempts = 3,
                       .created_at = {1},
                       .finished_at = {finished_at},
                       .payload = "{}"};
  };
  ASSERT_TRUE(store_->commit(
      {.deliveries = {row("old", "delivered", 100'000'001), row("new", "delivered", 900'000'001),
                      row("dead", "dead", 100'000'001), row("open", "pending", 0)},
       .attempts = {{.delivery = "old",
                     .number = 1,
                     .at = {3},
                     .latency = {4},
                     .status = 200,
                     .answer = "",
                     .error = ""}}}));
  const Retention retention{.delivered_before = {500'000'000}, .dead_before = {1000}};
  EXPECT_EQ(*store_->prune_deliveries(retention), 1U);
  EXPECT_EQ(*store_->prune_deliveries(retention), 0U);
  EXPECT_TRUE(store_->load_deliveries({.id = "old"})->empty());
  EXPECT_TRUE(store_->load_attempts("old")->empty());
  EXPECT_EQ(store_->load_deliveries({})->size(), 3U);
  const auto check = [&](std::int64_t discarded) {
    const auto totals = store_->delivery_totals();
    ASSERT_TRUE(succeeds(totals));
    ASSERT_EQ(totals->size(), 1U);
    const DeliveryTotal& t = totals->at({"ops", "webhook"});
    EXPECT_EQ(t.accepted, 4);
    EXPECT_EQ(t.delivered, 2);
    EXPECT_EQ(t.dead, 1);
    EXPECT_EQ(t.discarded, discarded);
    EXPECT_EQ(t.retried, 8);
    EXPECT_EQ(t.in_time.at(4), 1);  // 0.1 s
    EXPECT_EQ(t.in_time.at(7), 1);  // 0.9 s
    EXPECT_DOUBLE_EQ(t.seconds, 1.0);
  };
  check(0);
  ASSERT_TRUE(store_->delete_workflow("uid-a-wf"));
  check(0);  // the pending one outlives it
}

TEST_P(StoreContract, ObjectsAreKeptByKindNamespaceAndName) {
  const ObjectRow t{"WorkflowTemplate", "a", "t", "1", {7}};
  const ObjectRow u{"WorkflowTemplate", "b", "s", "2", {8}};
  const ObjectRow c{"ClusterWorkflowTemplate", "", "t", "3", {9}};
  for (const ObjectRow& row : {t, u, c}) ASSERT_TRUE(succeeds(store_->put_object(row)));
  EXPECT_EQ(store_->find_object("WorkflowTemplate", "a", "t")->json, "1");
  EXPECT_EQ(store_->find_object("ClusterWorkflowTemplate", "", "t")->json, "3");
  EXPECT_TRUE(fails(store_->find_object("WorkflowTemplate", "b", "t"), diag::Code::kNotFound));
  EXPECT_THAT(*store_->list_objects("WorkflowTemplate", ""), SizeIs(2));
  EXPECT_THAT(*store_->list_objects("WorkflowTemplate", "b"), SizeIs(1));
  ObjectRow next = t;
  next.json = "4";
  next.created_at = {99};
  ASSERT_TRUE(succeeds(store_->put_object(next)));
  const auto found = store_->find_object("WorkflowTemplate", "a", "t");
  EXPECT_EQ(found->json, "4");
  EXPECT_EQ(found->created_at.ns, 7);
  ASSERT_TRUE(succeeds(store_->delete_object("WorkflowTemplate", "a", "t")));
  EXPECT_TRUE(fails(store_->delete_object("WorkflowTemplate", "a", "t"), diag::Code::kNotFound));
}

TEST_P(StoreContract, RulesRememberWithTheCommitAndForgetWithTheirNotification) {
  const auto other = world_->connect();
  Batch batch;
  batch.rule_memory = {{"a/r", "k", "1", {}, {5}},
                       {"a/r", "later", "2", {9}, {5}},
                       {"a/r", "soon", "3", {7}, {5}},
                       {"a/s", "k", "4", {}, {50}}};
  ASSERT_TRUE(succeeds(store_->commit(batch)));
  EXPECT_EQ((*other->find_rule_memory("a/r", "k"))->json, "1");
  EXPECT_FALSE(*other->find_rule_memory("a/r", "x"));
  const auto timed = other->timed_rule_memory();
  ASSERT_THAT(*timed, SizeIs(2));
  EXPECT_EQ(timed->front().key, "soon");
  batch.rule_memory = {{"a/r", "soon", "", {}, {}}};
  ASSERT_TRUE(succeeds(store_->commit(batch)));
  EXPECT_THAT(*other->timed_rule_memory(), SizeIs(1));
  ASSERT_TRUE(succeeds(store_->forget_rule_memory({10})));
  EXPECT_FALSE(*other->find_rule_memory("a/r", "k"));
  EXPECT_TRUE(*other->find_rule_memory("a/r", "later")) << "something is still to be done with it";
  EXPECT_TRUE(*other->find_rule_memory("a/s", "k"));

  const std::uint64_t before = *other->objects_version("Notification");
  ASSERT_TRUE(succeeds(store_->put_object({"Notification", "a", "r", "{}", {1}})));
  const std::uint64_t put = *other->objects_version("Notification");
  EXPECT_NE(put, before);
  ASSERT_TRUE(succeeds(store_->put_object({"ConfigMap", "a", "r", "{}", {1}})));
  EXPECT_EQ(*other->objects_version("Notification"), put);
  ASSERT_TRUE(succeeds(store_->delete_object("Notification", "a", "r")));
  EXPECT_NE(*other->objects_version("Notification"), put);
  EXPECT_FALSE(*other->find_rule_memory("a/r", "later"));
  EXPECT_TRUE(*other->find_rule_memory("a/s", "k"));
}

TEST_P(StoreContract, AnotherConnectionSeesCommitsAndANewDataVersion) {
  const auto other = world_->connect();
  const std::uint64_t before = *other->data_version();
  EXPECT_EQ(*other->data_version(), before);
  create(workflow("w", 1));
  EXPECT_NE(*other->data_version(), before);
  EXPECT_EQ(other->find_workflow("", "w")->uid, workflow("w", 1).uid);
  const std::uint64_t mine = *store_->data_version();
  ASSERT_TRUE(succeeds(store_->put_object({"ConfigMap", "a", "c", "{}", {1}})));
  EXPECT_EQ(*store_->data_version(), mine) << "its own write";
  ASSERT_TRUE(succeeds(other->add_command(
      {.id = 0, .uid = "u", .verb = "stop", .arguments_json = "", .created_at = {}})));
  EXPECT_NE(*store_->data_version(), mine);
}

TEST_P(StoreContract, LongAndOddTextsComeBackWhole) {
  WorkflowRow row = workflow("w", 1);
  row.spec_json = std::string(3'000'000, 'x');
  row.message = std::string("a\0b", 3);
  create(row);
  const auto found = store_->find_workflow("", "w");
  ASSERT_TRUE(succeeds(found));
  EXPECT_EQ(found->spec_json, row.spec_json);
  EXPECT_EQ(found->message, row.message);
}

TEST_P(StoreContract, ManyRowsAreOneBatch) {
  create(workflow("w", 1));
  const std::string uid = workflow("w", 1).uid;
  Batch batch;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    batch.nodes.push_back({uid, i, std::string(300, 'n')});
    batch.events.push_back({uid, i + 2, std::string(100, 'e')});
  }
  ASSERT_TRUE(succeeds(store_->commit(batch)));
  EXPECT_THAT(*store_->load_nodes(uid), SizeIs(1000));
  EXPECT_THAT(*store_->load_events(uid), SizeIs(1001));
}

INSTANTIATE_TEST_SUITE_P(
    All, StoreContract,
    testing::Values(Kind{"Memory", [] { return std::make_unique<MemoryWorld>(); }},
                    Kind{"Sqlite", [] { return std::make_unique<SqliteWorld>(); }},
                    Kind{"Postgres", make_postgres_world}),
    [](const testing::TestParamInfo<Kind>& param) { return param.param.name; });

}  // namespace

}  // namespace tiphys::store
