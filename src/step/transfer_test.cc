// What tiphys-step is told of transfers, and archives as they come and go.
#include "step/transfer.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "step/files.h"
#include "step/tar_files.h"

namespace tiphys::step {
namespace {

namespace fs = std::filesystem;

TEST(Transfer, ComesBackAsItWas) {
  const Transfer transfer{.artifact = "a b",
                          .path = "/tmp/x y",
                          .url = "https://s3:9000/b/k?X-Amz-Signature=1",
                          .headers = {"x-amz-server-side-encryption: AES256", "b: "},
                          .is_archive = true,
                          .level = 9,
                          .mode = 0400,
                          .is_mode_for_all = true,
                          .trusted = 2};
  const auto back = decode_transfer(encode_transfer(transfer));
  ASSERT_TRUE(back);
  EXPECT_EQ(encode_transfer(*back), encode_transfer(transfer));
  EXPECT_EQ(back->path, "/tmp/x y");
  EXPECT_EQ(back->headers, transfer.headers);
  EXPECT_EQ(back->mode, 0400);
  EXPECT_EQ(back->trusted, 2);
  for (const char* other : {"", "path /x\n", "url http://x\n", "nonsense"}) {
    EXPECT_FALSE(decode_transfer(other)) << other;
  }
}

TEST(Transfer, ShowsTheServerAlone) {
  EXPECT_EQ(server_of("https://s3:9000/b/k?X-Amz-Signature=1"), "https://s3:9000");
  EXPECT_EQ(server_of("http://h?secret"), "http://h");
}

struct TarFiles : testing::Test {
  void SetUp() override {
    char pattern[] = "/tmp/tiphys-tar-XXXXXX";
    folder = ::mkdtemp(pattern);
  }
  void TearDown() override { fs::remove_all(folder); }

  void write(const std::string& name, const std::string& text, unsigned mode = 0644) const {
    fs::create_directories(fs::path(folder + "/" + name).parent_path());
    ASSERT_TRUE(write_whole(folder + "/" + name, text, mode));
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    return read_whole(folder + "/" + name).value_or("nothing");
  }
  /// An archive with one entry whose name nobody has looked at.
  [[nodiscard]] std::string archive_of(const char* name, const char* link = nullptr) const {
    std::string path = folder + "/made.tgz";
    archive* const to = archive_write_new();
    archive_write_set_format_gnutar(to);
    archive_write_add_filter_gzip(to);
    archive_write_open_filename(to, path.c_str());
    archive_entry* const entry = archive_entry_new();
    if (link != nullptr) {
      archive_entry_set_pathname(entry, "out");
      archive_entry_set_filetype(entry, AE_IFLNK);
      archive_entry_set_symlink(entry, link);
      archive_write_header(to, entry);
      archive_entry_clear(entry);
    }
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, 1);
    archive_write_header(to, entry);
    archive_write_data(to, "x", 1);
    archive_entry_free(entry);
    archive_write_free(to);
    return path;
  }

  std::string folder;
};

TEST_F(TarFiles, AFolderComesBackAsItWas) {
  const std::string deep = "in/\xc3\xa4 " + std::string(120, 'n') + "/" + std::string(120, 'm');
  write("in/run", "#!/bin/sh\n", 0755);
  write(deep, std::string(300'000, 'z'));
  fs::create_directories(folder + "/in/empty");
  fs::create_symlink("run", folder + "/in/link");
  fs::create_symlink("/nowhere", folder + "/in/dead");
  ASSERT_TRUE(pack_tar(folder + "/in", folder + "/a.tgz", 9));
  fs::rename(folder + "/in", folder + "/was");
  const auto done = unpack_tar(folder + "/a.tgz", folder + "/out");
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_TRUE(*done);
  EXPECT_EQ(read("out/in/run"), "#!/bin/sh\n");
  EXPECT_EQ(read("out/" + deep), std::string(300'000, 'z'));
  EXPECT_TRUE(fs::is_empty(folder + "/out/in/empty"));
  EXPECT_EQ(fs::read_symlink(folder + "/out/in/link"), "run");
  EXPECT_EQ(fs::read_symlink(folder + "/out/in/dead"), "/nowhere");
  struct stat info = {};
  ASSERT_EQ(::stat((folder + "/out/in/run").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0755U);
}

TEST_F(TarFiles, ReadsWhatTheUsualProgramPacks) {
  write("in/sub/a", "1");
  fs::create_hard_link(folder + "/in/sub/a", folder + "/in/z");
  const std::string command = "cd " + folder + " && tar -czf a.tgz --format=pax in";
  ASSERT_EQ(std::system(command.c_str()), 0);
  const auto done = unpack_tar(folder + "/a.tgz", folder + "/out");
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(read("out/in/sub/a"), "1");
  EXPECT_EQ(read("out/in/z"), "1");
}

TEST_F(TarFiles, OtherFilesAreNone) {
  write("text", "no archive");
  const auto other = unpack_tar(folder + "/text", folder + "/out");
  ASSERT_TRUE(other);
  EXPECT_FALSE(*other);
  write("damaged", "\x1f\x8b rest");
  EXPECT_FALSE(unpack_tar(folder + "/damaged", folder + "/out"));
}

TEST_F(TarFiles, NothingIsWrittenOutside) {
  EXPECT_FALSE(unpack_tar(archive_of("../x"), folder + "/out"));
  EXPECT_FALSE(unpack_tar(archive_of("out/x", folder.c_str()), folder + "/out"));
  EXPECT_FALSE(fs::exists(folder + "/x"));
  ASSERT_TRUE(unpack_tar(archive_of("/tmp/tiphys-never"), folder + "/out"));
  EXPECT_FALSE(fs::exists("/tmp/tiphys-never"));
}

}  // namespace
}  // namespace tiphys::step
