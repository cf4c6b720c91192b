// SPDX-License-Identifier: Apache-2.0
// HTTP over TLS: real handshakes with our client, with curl and with openssl s_client.
#include "crypto/tls.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <mutex>

#include "http/http.h"
#include "raw_socket.h"
#include "support/support.h"
#include "tls_support.h"

namespace fiducia::http {
namespace {

using test::connect_to;
using test::Socket;
using test::TlsAuthority;

/// A server that says who asks, and what its log was told of failed handshakes.
class SecureServer {
 public:
  explicit SecureServer(const TlsAuthority& authority, bool wants_clients = true,
                        std::uint32_t handshake_timeout_ms = 10'000)
      : server_(make(authority, wants_clients, handshake_timeout_ms)) {}
  [[nodiscard]] std::string url() const { return server_->url(); }
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  /// Of the next failed handshake.
  [[nodiscard]] std::string next_failure() {
    std::unique_lock lock{mutex_};
    failed_.wait_for(lock, std::chrono::seconds{10}, [&] { return !failures_.empty(); });
    if (failures_.empty()) return {};
    std::string first = failures_.front();
    failures_.erase(failures_.begin());
    return first;
  }

 private:
  Result<Server> make(const TlsAuthority& authority, bool wants_clients,
                      std::uint32_t handshake_timeout_ms) {
    crypto::TlsOptions tls{.identity = authority.server(), .protocol = "http/1.1"};
    if (wants_clients) tls.authorities_pem = authority.pem();
    ServerOptions options{.handshake_timeout_ms = handshake_timeout_ms};
    options.tls = crypto::TlsContext::make_server(tls).value();
    Routes routes;
    routes.add("GET", "/who", [](const Request& request) {
      const auto& client = request.client_certificate;
      return plain_response(200, client ? client->common_name() : "nobody");
    });
    routes.add(
        "PUT", "/echo", [](const Request& request) { return Response{.body = request.body}; },
        64 << 20);
    return Server::start(options, std::move(routes), [this](const Served& served) {
      if (served.tls_error.empty()) return;
      const std::scoped_lock lock{mutex_};
      failures_.push_back(served.tls_error);
      failed_.notify_all();
    });
  }

  std::mutex mutex_;
  std::condition_variable failed_;
  std::vector<std::string> failures_;
  Result<Server> server_;
};

std::string ask(const SecureServer& server, ClientOptions options) {
  const auto response = Client{std::move(options)}.send({.url = server.url() + "/who"});
  if (!response) return code_word(response.error());
  return std::string{as_text(response->body)};
}

TEST(HttpsServer, tells_the_handler_who_asks) {
  const TlsAuthority authority{"authority"};
  const SecureServer server{authority};
  EXPECT_TRUE(server.url().starts_with("https://"));
  EXPECT_EQ(
      ask(server, {.authorities_pem = authority.pem(), .identity = authority.client("viewer")}),
      "viewer\n");
  const SecureServer open{authority, false};
  EXPECT_EQ(ask(open, {.authorities_pem = authority.pem(), .identity = authority.client("viewer")}),
            "nobody\n");
  EXPECT_EQ(ask(open, {.authorities_pem = authority.pem()}), "nobody\n");
}

TEST(HttpsServer, refuses_clients_that_it_does_not_trust) {
  const TlsAuthority ours{"ours"};
  const TlsAuthority theirs{"theirs"};
  SecureServer server{ours};
  EXPECT_EQ(ask(server, {.authorities_pem = ours.pem()}), "io.unreadable");
  EXPECT_NE(server.next_failure().find("peer did not return a certificate"), std::string::npos);
  EXPECT_EQ(ask(server, {.authorities_pem = ours.pem(), .identity = theirs.client("a")}),
            "io.unreadable");
  EXPECT_NE(server.next_failure().find("certificate"), std::string::npos);
  EXPECT_EQ(ask(server, {.authorities_pem = ours.pem(), .identity = ours.expired_client()}),
            "io.unreadable");
  EXPECT_NE(server.next_failure().find("certificate has expired"), std::string::npos);
  EXPECT_EQ(ask(server, {.authorities_pem = theirs.pem(), .identity = ours.client("a")}),
            "io.unreadable")
      << "the client does not trust the server";
  EXPECT_EQ(ask(server, {.authorities_pem = ours.pem(), .identity = ours.client("a")}), "a\n");
}

TEST(HttpsServer, carries_large_bodies_over_one_connection) {
  const TlsAuthority authority{"authority"};
  const SecureServer server{authority, false};
  const Client client{{.authorities_pem = authority.pem()}};
  Bytes body(10 << 20);
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<std::byte>(i * 7 >> 3);
  for (int round = 0; round < 2; ++round) {
    const auto response =
        client.send({.method = "PUT", .url = server.url() + "/echo", .body = body});
    ASSERT_TRUE(response) << to_sentence(response.error());
    EXPECT_TRUE(response->body == body);
  }
}

TEST(HttpsServer, drops_a_handshake_that_takes_too_long) {
  const TlsAuthority authority{"authority"};
  SecureServer server{authority, true, 200};
  const Socket silent = connect_to(server.port());
  const Socket begun = connect_to(server.port());
  ASSERT_TRUE(begun.send(std::string_view{"\x16\x03\x01\x02\x00\x01", 6}));
  EXPECT_EQ(silent.read_all(), "");
  EXPECT_EQ(begun.read_all(), "");
  int drops = 0;
  const Socket dripping = connect_to(server.port());
  ASSERT_TRUE(dripping.send(std::string_view{"\x16\x03\x01\x02\x00", 5}));
  while (!dripping.is_readable(20) && drops < 500 && dripping.send("x")) ++drops;
  EXPECT_LT(drops, 100) << "each byte bought more time";
}

TEST(HttpsServer, ends_a_connection_that_speaks_no_tls) {
  const TlsAuthority authority{"authority"};
  SecureServer server{authority};
  const Socket plain = connect_to(server.port());
  ASSERT_TRUE(plain.send("GET /who HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_EQ(plain.read_all().find("HTTP/1.1"), std::string::npos);
  EXPECT_FALSE(server.next_failure().empty());
}

// --- other programs ------------------------------------------------------------------------------

/// What a shell command prints, and its exit status on the last line.
std::string shell(const std::string& command) {
  FILE* const pipe = ::popen((command + " 2>&1; echo \"status $?\"").c_str(), "r");
  std::string all;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) all += static_cast<char>(c);
  ::pclose(pipe);
  return all;
}
bool is_installed(const std::string& program) {
  return shell("command -v " + program + " > /dev/null").ends_with("status 0\n");
}

/// Certificates as files.
class Files {
 public:
  explicit Files(const TlsAuthority& authority) {
    write("ca.pem", authority.pem());
    const auto identity = authority.client("peer");
    write("client.pem", identity.chain_pem);
    write("client.key", identity.key_pem);
  }
  [[nodiscard]] std::string path(const std::string& name) const {
    return (folder_.path() / name).string();
  }
  void write(const std::string& name, std::string_view text) const {
    std::ofstream{path(name), std::ios::binary} << text;
  }

 private:
  test::ScratchFolder folder_;
};

TEST(HttpsServer, serves_curl) {
  if (!is_installed("curl")) GTEST_SKIP() << "curl is not installed";
  const TlsAuthority authority{"authority"};
  const SecureServer server{authority};
  const Files files{authority};
  const std::string curl =
      "curl --silent --show-error --max-time 20 --cacert " + files.path("ca.pem");
  const std::string with =
      " --cert " + files.path("client.pem") + " --key " + files.path("client.key");
  EXPECT_EQ(shell(curl + with + " " + server.url() + "/who"), "peer\nstatus 0\n");
  EXPECT_FALSE(shell(curl + " " + server.url() + "/who").ends_with("status 0\n"));
  EXPECT_FALSE(shell(curl + with + " --tls-max 1.1 --tlsv1.0 --ciphers DEFAULT@SECLEVEL=0 " +
                     server.url() + "/who")
                   .ends_with("status 0\n"));
  const std::string body(3 << 20, 'b');
  files.write("body", body);
  for (const std::string& upload : {" -T " + files.path("body"), " -T - < " + files.path("body")})
    EXPECT_EQ(shell(curl + with + " " + server.url() + "/echo" + upload + " | cmp - " +
                    files.path("body")),
              "status 0\n")
        << upload;
  const std::string many =
      " " + server.url() + "/who " + server.url() + "/nowhere " + server.url() + "/who";
  EXPECT_EQ(shell(curl + with + " -w '%{num_connects}\\n'" + many),
            "peer\n1\nNot found.\n0\npeer\n0\nstatus 0\n")
      << "one connection does";
}

TEST(HttpsServer, serves_openssl_s_client) {
  if (!is_installed("openssl")) GTEST_SKIP() << "openssl is not installed";
  const TlsAuthority authority{"authority"};
  const SecureServer server{authority};
  const Files files{authority};
  const std::string request =
      "printf 'GET /who HTTP/1.1\\r\\nHost: h\\r\\nConnection: close\\r\\n\\r\\n' | ";
  const std::string client =
      request + "timeout 20 openssl s_client -quiet -verify_return_error -connect 127.0.0.1:" +
      std::to_string(server.port()) + " -CAfile " + files.path("ca.pem");
  const std::string with =
      " -cert " + files.path("client.pem") + " -key " + files.path("client.key");
  for (const char* version : {" -tls1_2", " -tls1_3"}) {
    const std::string answer = shell(client + with + version);
    EXPECT_NE(answer.find("HTTP/1.1 200 OK"), std::string::npos) << answer;
    EXPECT_NE(answer.find("\npeer\n"), std::string::npos) << answer;
  }
  for (const std::string& refused : {client + with + " -tls1_1 -cipher ALL:@SECLEVEL=0",
                                     client + " -tls1_3", client + with + " -alpn h2"}) {
    const std::string answer = shell(refused);
    EXPECT_EQ(answer.find("HTTP/1.1"), std::string::npos) << answer;
    EXPECT_NE(answer.find("alert"), std::string::npos) << answer;
  }
}

}  // namespace
}  // namespace fiducia::http
