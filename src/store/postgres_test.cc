// What only a PostgreSQL store can get wrong: lost connections, commits whose answer got lost,
// newer tables, passwords in messages.
#include "store/postgres.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <thread>

#include "postgres_server.h"
#include "store/libpq.h"
#include "store/open.h"
#include "store/postgres_address.h"
#include "store/postgres_schema.h"

namespace tiphys::store {

namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

sockaddr_un address_in(const std::string& folder) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  const std::string path = folder + "/.s.PGSQL.5432";
  path.copy(out.sun_path, sizeof out.sun_path - 1);
  return out;
}

/// Stands between a store and its server, and can do to one message what a bad network does.
class Wire {
 public:
  enum class Fault {
    kNone,
    kLoseRequest,  // the connection breaks before the server has seen anything
    kLoseAnswer,   // it breaks when the server has answered
    kDelay,        // it breaks for the client; the server gets the request when deliver() is called
  };

  explicit Wire(std::string server) : server_(std::move(server)) {
    std::string path = (std::filesystem::temp_directory_path() / "tiphys-wire-XXXXXX").string();
    if (mkdtemp(path.data()) != nullptr) folder_ = path;
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = address_in(folder_);
    EXPECT_EQ(bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    thread_ = std::thread([this] { run(); });
  }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  ~Wire() {
    is_over_ = true;
    thread_.join();
    for (const Pair& pair : pairs_) {
      if (pair.client >= 0) close(pair.client);
      close(pair.server);
    }
    close(listener_);
    std::filesystem::remove_all(folder_);
  }
  [[nodiscard]] std::string url() const { return "postgresql://tiphys@/postgres?host=" + folder_; }
  void fault_next(Fault fault) { fault_ = fault; }
  [[nodiscard]] bool is_fault_over() const { return fault_ == Fault::kNone; }
  /// Lets the server have what was delayed.
  void deliver() { must_deliver_ = true; }
  [[nodiscard]] bool has_answered() const { return has_answered_; }

 private:
  struct Pair {
    int client;
    int server;
    bool loses_answer = false;
    std::string delayed = {};
  };

  void accept_one() {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = address_in(server_);
    if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      close(client);
      close(server);
      return;
    }
    pairs_.push_back({.client = client, .server = server});
  }

  /// False: the pair is over.
  bool from_client(Pair& pair) {
    char bytes[65536];
    const ssize_t got = read(pair.client, bytes, sizeof bytes);
    if (got <= 0) return false;
    const std::string data(bytes, static_cast<std::size_t>(got));
    // Only what writes takes a ticket: the faults are for that.
    const Fault fault =
        data.find("note_write") == std::string::npos && !is_told_ ? Fault::kNone : fault_.load();
    is_told_ = is_told_ || data.find("note_write") != std::string::npos;
    if (fault != Fault::kNone) fault_ = Fault::kNone;
    if (fault == Fault::kLoseRequest) return false;
    if (fault == Fault::kDelay) {
      close(std::exchange(pair.client, -1));
      pair.delayed = data;
      return true;
    }
    pair.loses_answer = pair.loses_answer || fault == Fault::kLoseAnswer;
    return write(pair.server, data.data(), data.size()) == got;
  }

  bool from_server(const Pair& pair) {
    char bytes[65536];
    const ssize_t got = read(pair.server, bytes, sizeof bytes);
    if (pair.client < 0) has_answered_ = true;
    if (got <= 0 || pair.loses_answer) return false;
    return pair.client < 0 || write(pair.client, bytes, static_cast<std::size_t>(got)) == got;
  }

  void run() {
    while (!is_over_) {
      std::vector<pollfd> fds = {{listener_, POLLIN, 0}};
      for (const Pair& pair : pairs_) {
        fds.push_back({pair.client, POLLIN, 0});
        fds.push_back({pair.server, POLLIN, 0});
      }
      poll(fds.data(), fds.size(), 10);
      std::size_t at = 1;
      for (auto pair = pairs_.begin(); pair != pairs_.end(); at += 2) {
        bool goes_on = true;
        if (fds[at].revents != 0) goes_on = from_client(*pair);
        if (goes_on && fds[at + 1].revents != 0) goes_on = from_server(*pair);
        if (goes_on && must_deliver_ && !pair->delayed.empty()) {
          const std::string data = std::exchange(pair->delayed, {});
          EXPECT_EQ(write(pair->server, data.data(), data.size()),
                    static_cast<ssize_t>(data.size()));
          must_deliver_ = false;
        }
        if (!goes_on) {
          if (pair->client >= 0) close(pair->client);
          close(pair->server);
          pair = pairs_.erase(pair);
        } else {
          ++pair;
        }
      }
      if ((fds[0].revents & POLLIN) != 0) accept_one();
    }
  }

  std::string server_;
  std::string folder_;
  int listener_ = -1;
  std::list<Pair> pairs_;
  std::thread thread_;
  std::atomic<bool> is_over_ = false;
  std::atomic<bool> must_deliver_ = false;
  std::atomic<bool> has_answered_ = false;  // the server has, to what was delayed
  std::atomic<Fault> fault_ = Fault::kNone;
  bool is_told_ = false;  // the statement has a name from now on
};

class PostgresTest : public testing::Test {
 protected:
  void SetUp() override {
    if (test::PostgresServer::programs().empty()) {
      GTEST_SKIP() << "no PostgreSQL server is installed (postgresql-15)";
    }
    server_ = std::make_unique<test::PostgresServer>();
    store_ = connect(server_->url());
    ASSERT_TRUE(store_);
  }

  static std::unique_ptr<Store> connect(const std::string& url) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    for (;;) {
      auto store = open_postgres(url);
      if (store) return std::move(*store);
      if (std::chrono::steady_clock::now() > end) {
        ADD_FAILURE() << store.error().message;
        return nullptr;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  void execute(const std::string& sql) const {
    const Libpq& pq = **libpq();
    const char* const keys[] = {"dbname", nullptr};
    const std::string url = server_->url();
    const char* const values[] = {url.c_str(), nullptr};
    PGconn* c = pq.PQconnectdbParams(keys, values, 1);
    PGresult* result = pq.PQexec(c, sql.c_str());
    EXPECT_TRUE(pq.PQresultStatus(result) == PGRES_COMMAND_OK ||
                pq.PQresultStatus(result) == PGRES_TUPLES_OK)
        << pq.PQerrorMessage(c);
    pq.PQclear(result);
    pq.PQfinish(c);
  }

  static CommandRow command(const std::string& uid) {
    return {.id = 0, .uid = uid, .verb = "stop", .arguments_json = "", .created_at = {}};
  }

  /// Writes through a wire with this fault, and expects that it is written once.
  void write_once(Wire::Fault fault) {
    Wire wire(server_->url().substr(server_->url().find("host=") + 5));
    const auto store = connect(wire.url());
    ASSERT_TRUE(store);
    ASSERT_TRUE(store->add_command(command("first")));
    wire.fault_next(fault);
    const auto done = store->add_command(command("u"));
    EXPECT_TRUE(done) << done.error().message;
    EXPECT_TRUE(wire.is_fault_over()) << "nothing went wrong";
    if (fault == Wire::Fault::kDelay) {
      wire.deliver();
      while (!wire.has_answered()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ASSERT_TRUE(store->add_command(command("after")));
    // A transaction that the server still works at would have to end first.
    execute("BEGIN; LOCK TABLE tiphys.writers; COMMIT");
    EXPECT_THAT(*store_->load_commands("u"), SizeIs(1));
    EXPECT_THAT(*store_->load_commands(""), SizeIs(3));
  }

  std::unique_ptr<test::PostgresServer> server_;
  std::unique_ptr<Store> store_;
};

TEST_F(PostgresTest, ARequestThatGotLostIsSentAgain) { write_once(Wire::Fault::kLoseRequest); }
TEST_F(PostgresTest, ACommitWhoseAnswerGotLostIsNotMadeTwice) {
  write_once(Wire::Fault::kLoseAnswer);
}
TEST_F(PostgresTest, ACommitThatReachesTheServerLateIsRefused) { write_once(Wire::Fault::kDelay); }

TEST_F(PostgresTest, GoesOnWhenTheServerWasStartedAnew) {
  ASSERT_TRUE(store_->add_command(command("a")));
  server_->stop();
  server_->start();
  const auto read = store_->load_commands("");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_THAT(*read, SizeIs(1));
  server_->stop();
  server_->start();
  const auto written = store_->add_command(command("b"));
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_THAT(*store_->load_commands(""), SizeIs(2));
}

TEST_F(PostgresTest, SaysSoWhenTheServerStaysAway) {
  server_->stop();
  const auto read = store_->load_commands("");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, diag::Code::kIo);
  EXPECT_THAT(read.error().message, HasSubstr("cannot open the store 'postgresql://tiphys@/"));
  EXPECT_THAT(read.error().message, Not(HasSubstr("\n")));
}

TEST_F(PostgresTest, RefusesTablesOfANewerTiphys) {
  store_.reset();
  execute("INSERT INTO tiphys.migrations VALUES (1000)");
  const auto refused = open_postgres(server_->url());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message,
              testing::MatchesRegex("the store 'postgresql://tiphys@/postgres' has version 1000, "
                                    "this tiphys knows versions up to [0-9]+: use the newer "
                                    "tiphys that wrote it"));
}

TEST_F(PostgresTest, TablesOfAnOlderTiphysGetWhatTheyLackAndKeepTheirRows) {
  store_.reset();
  execute(
      "DROP SCHEMA tiphys CASCADE; CREATE SCHEMA tiphys;"
      "CREATE TABLE tiphys.migrations (version bigint PRIMARY KEY);"
      "INSERT INTO tiphys.migrations VALUES (1)");
  execute(postgres_migrations()[0]);
  execute(
      "INSERT INTO tiphys.workflows VALUES ('u', 'a', 'w', 'Running', '', '0/1', 1, 1, 0, 0, "
      "'{}', '{}', 0);"
      "INSERT INTO tiphys.specs VALUES ('u', '{}');"
      "INSERT INTO tiphys.events VALUES ('u', 1, 'begin')");
  store_ = connect(server_->url());
  ASSERT_TRUE(store_);
  EXPECT_EQ(store_->find_workflow("a", "w")->phase, "Running");
  EXPECT_THAT(*store_->load_events("u"), SizeIs(1));
  ASSERT_TRUE(store_->join({.place = "a", .host = "host-a"}));
  ASSERT_TRUE(store_->take_lease("u")) << "what version 1 did not have";
  EXPECT_TRUE(store_->commit({.events = {{"u", 2, "next"}}}));
  EXPECT_THAT(*store_->load_events("u"), SizeIs(2));
}

TEST_F(PostgresTest, ManyMakeTheTablesAtOnce) {
  store_.reset();
  execute("DROP SCHEMA tiphys CASCADE");
  std::vector<std::thread> threads;
  std::atomic<int> opened = 0;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] { opened += open_postgres(server_->url()) ? 1 : 0; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(opened, 6);
}

TEST_F(PostgresTest, AWriterThatWasForgottenMeanwhileSignsInAgain) {
  ASSERT_TRUE(store_->add_command(command("a")));
  execute("DELETE FROM tiphys.writers WHERE id <> 0");
  ASSERT_TRUE(store_->add_command(command("b")));
  EXPECT_THAT(*store_->load_commands(""), SizeIs(2));
}

class PostgresLeases : public PostgresTest {
 protected:
  void SetUp() override {
    PostgresTest::SetUp();
    if (IsSkipped() || !store_) return;
    other_ = connect(server_->url());
    const clock::Duration hour = clock::Duration::seconds(3600);
    ASSERT_TRUE(store_->join({.place = "a", .host = "host-a", .lease = hour}));
    ASSERT_TRUE(other_->join({.place = "b", .host = "host-b", .lease = hour}));
    ASSERT_TRUE(store_->create_workflow(row_, {"u", 1, "begin"}));
    ASSERT_TRUE(store_->take_lease("u"));
  }

  /// As if the first engine had not been heard of for long. It may be heard of again meanwhile.
  Lease take_over() const {
    for (;;) {
      execute("UPDATE tiphys.engines SET expires_at = now() - interval '1 h' WHERE place = 'a'");
      if (auto lease = other_->take_lease("u")) return *lease;
    }
  }
  [[nodiscard]] static Batch events(std::uint64_t sequence) {
    return {.events = {{"u", sequence, "e"}}};
  }

  std::unique_ptr<Store> other_;
  WorkflowRow row_{.uid = "u", .name_space = "a", .name = "w", .status_json = "{}"};
};

TEST_F(PostgresLeases, BelongToOneEngineWhileItLives) {
  const auto refused = other_->take_lease("u");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, diag::Code::kConflict);
  EXPECT_TRUE(store_->commit(events(2)));
  EXPECT_THAT(*store_->lost_leases(), IsEmpty());
  EXPECT_THAT(*store_->leased_elsewhere(), IsEmpty());
  EXPECT_THAT(*other_->leased_elsewhere(), testing::ElementsAre("u"));
}

TEST_F(PostgresLeases, ATakenOneIsRefusedItsOldOwner) {
  ASSERT_TRUE(store_->commit(events(2)));
  EXPECT_EQ(take_over().lost_host, "host-a");
  const auto refused = store_->commit(events(3));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, diag::Code::kConflict);
  EXPECT_EQ(refused.error().message, "another engine has taken over the workflow u");
  EXPECT_THAT(*store_->load_events("u"), SizeIs(2));
  EXPECT_FALSE(store_->leases_hold());
  EXPECT_THAT(*store_->lost_leases(), testing::ElementsAre("u"));
  EXPECT_FALSE(store_->leases_hold()) << "whoever was told has not let go of it as yet";
  EXPECT_THAT(*store_->lost_leases(), IsEmpty()) << "told once";
  EXPECT_TRUE(store_->leases_hold());
  EXPECT_FALSE(store_->commit(events(3))) << "for good";
  EXPECT_TRUE(other_->commit(events(3)));
}

TEST_F(PostgresLeases, TellWhoseProcessesAreLostUntilTheNewOwnerHasCommitted) {
  EXPECT_EQ(take_over().lost_host, "host-a");
  EXPECT_EQ(other_->take_lease("u")->lost_host, "host-a") << "its owner began anew";
  ASSERT_TRUE(other_->commit(events(2)));
  EXPECT_EQ(other_->take_lease("u")->lost_host, "");
}

TEST_F(PostgresLeases, AnEngineOfTheSamePlaceTakesAtOnce) {
  const auto next = connect(server_->url());
  ASSERT_TRUE(next->join({.place = "a", .host = "host-a"}));
  const auto lease = next->take_lease("u");
  ASSERT_TRUE(lease) << lease.error().message;
  EXPECT_EQ(lease->lost_host, "");
  EXPECT_FALSE(store_->commit(events(2)));
}

TEST_F(PostgresLeases, AreFreeOnceTheWorkflowIsOver) {
  store_->release_lease("u");
  EXPECT_FALSE(other_->take_lease("u")) << "its processes may go on under an engine of that place";
  ASSERT_TRUE(store_->take_lease("u"));
  row_.finished_at = {1};
  ASSERT_TRUE(store_->commit({.workflows = {row_}}));
  store_->release_lease("u");
  EXPECT_TRUE(other_->take_lease("u"));
}

TEST_F(PostgresLeases, AreCountedForTheSpread) {
  EXPECT_EQ(other_->spread()->engines, 0U);
  const std::uint64_t before = *other_->data_version();
  ASSERT_TRUE(store_->join({.place = "a", .host = "host-a", .takes_all = true}));
  EXPECT_EQ(other_->spread()->engines, 1U);
  store_.reset();
  EXPECT_EQ(other_->spread()->engines, 0U);
  execute("UPDATE tiphys.engines SET expires_at = now() - interval '1 h' WHERE place = 'a'");
  EXPECT_NE(*other_->data_version(), before) << "what it had is to be taken over";
}

TEST_F(PostgresLeases, OneEngineAtATimeIsInTheSection) {
  ASSERT_TRUE(store_->enter_section());
  std::atomic<bool> is_in = false;
  std::thread thread([&] {
    EXPECT_TRUE(other_->enter_section());
    is_in = true;
    other_->leave_section();
  });
  ASSERT_TRUE(store_->add_command(command("u")));
  EXPECT_FALSE(is_in);
  store_->leave_section();
  thread.join();
  EXPECT_TRUE(is_in);
}

TEST(PostgresAddressTest, NoMessageShowsThePassword) {
  for (const char* url :
       {"postgresql://me:s3cr%20et@localhost:1/db", "postgresql://me:s3cr%20et@[::1:1/db",
        "postgresql://me:s3cr%20et@localhost:1/db?nonsense=1",
        "postgresql://me:s3cr%20et@localhost:1/db?connect_timeout=s3cr%20et",
        "postgresql://me@localhost:1/db?password=s3cr%20et&x",
        "postgresql://me:s3cr%20et@loc@alhost:1/db?options=%zz"}) {
    const auto refused = open(url);
    ASSERT_FALSE(refused) << url;
    EXPECT_THAT(refused.error().message, Not(HasSubstr("s3cr"))) << url;
    EXPECT_THAT(refused.error().message, HasSubstr("me@")) << url;
  }
  EXPECT_EQ(shown_address("postgres://me:x@h:5432/db?password=y"), "postgres://me@h:5432/db");
  EXPECT_EQ(without_passwords("a p@ss\nb p%40ss\n", passwords_in("postgresql://u:p%40ss@h/d")),
            "a *** b ***");
  EXPECT_FALSE(is_postgres_address("/var/lib/postgresql://"));
}

}  // namespace

}  // namespace tiphys::store
