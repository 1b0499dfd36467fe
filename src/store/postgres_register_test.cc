// The rules of leases in SQL and those in memory (lease/register.h, which simulated fleets use) are
// the same: whatever is asked in whatever order, both answer the same.
#include "lease/register.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <random>
#include <set>
#include <thread>

#include "postgres_server.h"
#include "store/postgres_leases.h"

namespace tiphys::store {
namespace {

constexpr clock::Instant kNow = {1'000};
constexpr clock::Instant kLater = {2'000};
constexpr std::array kPlaces = {"a", "a", "b", "c"};
constexpr std::array kWorkflows = {"u", "v", "w"};

std::unique_ptr<PgSession> connect(const std::string& url) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (;;) {  // the server has just been started
    auto session = PgSession::open(url);
    if (session) return std::move(*session);
    if (std::chrono::steady_clock::now() > end) return nullptr;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

/// One database and one register, to which the same is done.
class Both {
 public:
  explicit Both(PgSession& session) : session_(session) {
    for (std::size_t i = 0; i < kPlaces.size(); ++i) {
      const PgRows rows = read(
          "INSERT INTO tiphys.engines (place, host, takes_all, expires_at) VALUES ($1, '', "
          "true, clock_timestamp() + interval '1 day') RETURNING id",
          PgParams().text(kPlaces[i]));
      engines_[i] = memory_.join(kPlaces[i], kLater);
      EXPECT_EQ(rows.number(0, 0), engines_[i]);
    }
  }

  void run_out(std::size_t engine) {
    read("UPDATE tiphys.engines SET expires_at = now() - interval '1 hour' WHERE id = $1::bigint",
         PgParams().number(engines_[engine]));
    (void)memory_.renew(engines_[engine], kPlaces[engine], kNow, kNow);
  }
  void renew(std::size_t engine) {
    PgParams p;
    p.number(engines_[engine]).text(kPlaces[engine]).text("").number(1).number(86'400'000);
    const bool was_alive = read(kRenewEngine, std::move(p)).number(0, 0) != 0;
    EXPECT_EQ(memory_.renew(engines_[engine], kPlaces[engine], kNow, kLater), was_alive);
  }
  void take(const char* uid, std::size_t engine) {
    PgParams p;
    p.text(uid).number(engines_[engine]).text(kPlaces[engine]).text("");
    const PgRows rows = read(kTakeLease, std::move(p));
    const auto taken = memory_.take(uid, engines_[engine], kPlaces[engine], kNow);
    ASSERT_EQ(taken.has_value(), rows.size() == 1) << uid << " by " << engine;
    if (!taken) return;
    EXPECT_EQ(taken->epoch, rows.number(0, 0));
    EXPECT_EQ(taken->place, rows.text(0, 1));
  }
  void give_back(const char* uid, std::size_t engine) {
    read("UPDATE tiphys.leases SET engine = 0 WHERE uid = $1 AND engine = $2::bigint",
         PgParams().text(uid).number(engines_[engine]));
    memory_.free(uid, engines_[engine]);
  }
  /// Commits for all that the engine has, `late` epochs ago for one of them.
  void check(std::size_t engine, std::int64_t late) {
    lease::Epochs epochs = held(engine);
    if (epochs.empty()) epochs.emplace("u", 1);
    epochs.begin()->second -= late;
    std::vector<std::string_view> uids;
    std::vector<std::int64_t> numbers;
    for (const auto& [uid, epoch] : epochs) {
      uids.push_back(uid);
      numbers.push_back(epoch);
    }
    PgParams p;
    p.number(engines_[engine]).texts(uids).numbers(numbers).text(kPlaces[engine]).text("");
    const bool passes = session_.read(kCheckLeases, std::move(p)).has_value();
    EXPECT_EQ(!memory_.check(engines_[engine], epochs, kPlaces[engine]).has_value(), passes);
    passed_ += passes ? 1 : 0;
    refused_ += passes ? 0 : 1;
  }
  lease::Epochs held(std::size_t engine) {
    const PgRows rows = read("SELECT uid, epoch FROM tiphys.leases WHERE engine = $1::bigint",
                             PgParams().number(engines_[engine]));
    lease::Epochs out;
    for (int i = 0; i < rows.size(); ++i) out.emplace(rows.text(i, 0), rows.number(i, 1));
    EXPECT_EQ(memory_.held_by(engines_[engine]), out);
    return out;
  }
  void look(std::size_t engine) {
    const PgRows rows =
        read(kLeasesElsewhere, PgParams().number(engines_[engine]).text(kPlaces[engine]));
    std::set<std::string> uids;
    for (int i = 0; i < rows.size(); ++i) uids.insert(rows.text(i, 0));
    const auto elsewhere = memory_.elsewhere(engines_[engine], kPlaces[engine], kNow);
    EXPECT_EQ(std::set(elsewhere.begin(), elsewhere.end()), uids);
    const PgRows alive =
        read("SELECT count(*) FROM tiphys.engines WHERE expires_at > clock_timestamp()", {});
    EXPECT_EQ(memory_.alive(kNow), static_cast<std::size_t>(alive.number(0, 0)));
  }
  [[nodiscard]] int passed() const { return passed_; }
  [[nodiscard]] int refused() const { return refused_; }

 private:
  PgRows read(const char* sql, PgParams params) {
    auto rows = session_.read(sql, std::move(params));
    EXPECT_TRUE(rows) << rows.error().message;
    return std::move(*rows);
  }

  PgSession& session_;
  lease::Register memory_;
  std::array<std::int64_t, kPlaces.size()> engines_ = {};
  int passed_ = 0;
  int refused_ = 0;
};

TEST(PostgresRegister, AnswersAsTheOneInMemory) {
  if (test::PostgresServer::programs().empty()) GTEST_SKIP() << "no PostgreSQL is installed";
  const test::PostgresServer server;
  const auto session = connect(server.url());
  ASSERT_NE(session, nullptr);
  Both both(*session);
  std::minstd_rand random(7);
  for (int i = 0; i < 1500 && !testing::Test::HasFailure(); ++i) {
    const std::size_t engine = random() / 3 % kPlaces.size();
    const char* uid = kWorkflows[random() / 5 % kWorkflows.size()];
    switch (random() / 7 % 8) {
      case 0:
        both.run_out(engine);
        break;
      case 1:
        both.renew(engine);
        break;
      case 2:
        both.give_back(uid, engine);
        break;
      case 3:
        both.check(engine, 0);
        break;
      case 4:
        both.check(engine, 1);
        break;
      case 5:
        both.look(engine);
        break;
      default:
        both.take(uid, engine);
    }
  }
  EXPECT_GT(both.passed(), 50);
  EXPECT_GT(both.refused(), 50);
}

}  // namespace
}  // namespace tiphys::store
