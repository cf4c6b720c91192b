// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <random>

#include "support/support.h"
#include "tls_support.h"

namespace fiducia::crypto {
namespace {

using test::TlsAuthority;

struct Ends {
  TlsEngine server;
  TlsEngine client;
};

/// Moves what each side has to say to the other, `step` bytes at a time. Whether there was any.
bool exchange(Ends& ends, std::size_t step = 1 << 20) {
  bool moved = false;
  const auto move = [&](TlsEngine& from, TlsEngine& to) {
    const Bytes output = from.take_output();
    for (ByteView rest = output; !rest.empty(); rest = rest.subspan(std::min(step, rest.size())))
      EXPECT_TRUE(to.take(rest.first(std::min(step, rest.size()))));
    moved = moved || !output.empty();
  };
  move(ends.client, ends.server);
  move(ends.server, ends.client);
  return moved;
}

/// Shakes hands until both are done or one fails: "" or the sentence of the first that failed.
std::string shake(Ends& ends) {
  for (int round = 0; round < 10; ++round) {
    const auto client = ends.client.shake_hands();
    const auto server = ends.server.shake_hands();
    if (!server) return "server: " + server.error().what;
    if (!client) return "client: " + client.error().what;
    // With TLS 1.3 the client is done before the server has judged its certificate.
    if (*server && *client && !exchange(ends)) return {};
    exchange(ends);
  }
  return "no end";
}

Ends connect(const TlsOptions& server, const TlsOptions& client,
             const std::string& host = "localhost") {
  const auto server_context = TlsContext::make_server(server);
  const auto client_context = TlsContext::make_client(client);
  if (!server_context) throw std::runtime_error{to_sentence(server_context.error())};
  if (!client_context) throw std::runtime_error{to_sentence(client_context.error())};
  return {.server = TlsEngine::make(*server_context).value(),
          .client = TlsEngine::make(*client_context, host).value()};
}

std::string read_all(TlsEngine& engine) {
  std::string all;
  Bytes part(1'000);
  while (true) {
    const auto count = engine.read(part);
    if (!count) return "error: " + count.error().what;
    if (*count == 0) return all;
    all += as_text(ByteView{part}.first(*count));
  }
}

TEST(Tls, carries_bytes_both_ways_and_shows_both_certificates) {
  const TlsAuthority authority{"authority"};
  Ends ends = connect({.identity = authority.server(), .authorities_pem = authority.pem()},
                      {.identity = authority.client("viewer"), .authorities_pem = authority.pem()});
  ASSERT_EQ(shake(ends), "");
  EXPECT_EQ(ends.server.version(), "TLSv1.3");
  const auto client = ends.server.peer_certificate();
  ASSERT_TRUE(client && *client);
  EXPECT_EQ((**client).common_name(), "viewer");
  ASSERT_TRUE(ends.client.write(as_bytes("question")));
  exchange(ends);
  EXPECT_EQ(read_all(ends.server), "question");
  std::mt19937_64 prng{1};
  const Bytes large = test::random_bytes(prng, 200'000);
  ASSERT_TRUE(ends.server.write(large));
  exchange(ends, 1'000);
  EXPECT_TRUE(read_all(ends.client) == as_text(large));
  EXPECT_FALSE(ends.client.is_ended());
  ends.server.end();
  exchange(ends);
  EXPECT_EQ(read_all(ends.client), "");
  EXPECT_TRUE(ends.client.is_ended());
}

TEST(Tls, works_byte_by_byte_and_with_an_ip_address) {
  const TlsAuthority authority{"authority"};
  Ends ends =
      connect({.identity = authority.server()}, {.authorities_pem = authority.pem()}, "127.0.0.1");
  for (int round = 0; round < 10; ++round) {
    ASSERT_TRUE(ends.client.shake_hands());
    ASSERT_TRUE(ends.server.shake_hands());
    exchange(ends, 1);
  }
  EXPECT_TRUE(*ends.client.shake_hands() && *ends.server.shake_hands());
  const auto none = ends.server.peer_certificate();
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none) << "nobody asked for one";
}

TEST(Tls, refuses_whom_it_does_not_trust) {
  const TlsAuthority ours{"ours"};
  const TlsAuthority theirs{"theirs"};
  const TlsOptions server{.identity = ours.server(), .authorities_pem = ours.pem()};
  const TlsOptions client{.identity = ours.client("a"), .authorities_pem = ours.pem()};
  struct Row {
    const char* name;
    TlsOptions server;
    TlsOptions client;
    std::string host;
    const char* who;
  };
  TlsOptions lax = server;
  lax.certificate_required = false;
  for (const Row& row : {
           Row{"a client of another authority",
               server,
               {.identity = theirs.client("a"), .authorities_pem = ours.pem()},
               "localhost",
               "server: "},
           Row{"the same where none is required",
               lax,
               {.identity = theirs.client("a"), .authorities_pem = ours.pem()},
               "localhost",
               "server: "},
           Row{"a client without a certificate",
               server,
               {.authorities_pem = ours.pem()},
               "localhost",
               "server: "},
           Row{"a client with an expired certificate",
               server,
               {.identity = ours.expired_client(), .authorities_pem = ours.pem()},
               "localhost",
               "server: "},
           Row{"a server's certificate as a client's",
               server,
               {.identity = ours.server(), .authorities_pem = ours.pem()},
               "localhost",
               "server: "},
           Row{"a server of another authority",
               {.identity = theirs.server()},
               client,
               "localhost",
               "client: "},
           Row{"a server with an expired certificate",
               {.identity = ours.expired_server()},
               client,
               "localhost",
               "client: "},
           Row{"a client's certificate as a server's",
               {.identity = ours.client("localhost")},
               client,
               "localhost",
               "client: "},
           Row{"another server", server, client, "example.org", "client: "},
           Row{"another address", server, client, "127.0.0.2", "client: "},
       }) {
    Ends ends = connect(row.server, row.client, row.host);
    const std::string what = shake(ends);
    EXPECT_TRUE(what.starts_with(row.who)) << row.name << ": " << what;
  }
  Ends unasked = connect(lax, {.authorities_pem = ours.pem()});
  EXPECT_EQ(shake(unasked), "") << "none is required";
  Ends good = connect(server, client);
  EXPECT_EQ(shake(good), "");
}

TEST(Tls, tells_the_other_side_why) {
  const TlsAuthority authority{"authority"};
  Ends ends = connect({.identity = authority.server(), .authorities_pem = authority.pem()},
                      {.identity = authority.expired_client(), .authorities_pem = authority.pem()});
  const std::string what = shake(ends);
  EXPECT_NE(what.find("expired"), std::string::npos) << what;
  exchange(ends);
  EXPECT_NE(read_all(ends.client).find("alert certificate expired"), std::string::npos);
}

/// A client of OpenSSL itself with this highest version; whether the handshake succeeds.
bool connects_with(int version_max) {
  const TlsAuthority authority{"authority"};
  const auto context = TlsContext::make_server({.identity = authority.server()}).value();
  TlsEngine server = TlsEngine::make(context).value();
  SSL_CTX* const client_context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_security_level(client_context, 0);  // else it would not even ask
  SSL_CTX_set_min_proto_version(client_context, TLS1_VERSION);
  SSL_CTX_set_max_proto_version(client_context, version_max);
  SSL* const client = SSL_new(client_context);
  BIO* const in = BIO_new(BIO_s_mem());
  BIO* const out = BIO_new(BIO_s_mem());
  SSL_set_bio(client, in, out);
  SSL_set_connect_state(client);
  bool done = false;
  bool refused = false;
  for (int round = 0; round < 10 && !refused; ++round) {
    done = SSL_do_handshake(client) == 1;
    Bytes said(static_cast<std::size_t>(BIO_pending(out)));
    if (!said.empty()) BIO_read(out, said.data(), static_cast<int>(said.size()));
    EXPECT_TRUE(server.take(said));
    refused = !server.shake_hands();
    const Bytes answer = server.take_output();
    if (!answer.empty()) BIO_write(in, answer.data(), static_cast<int>(answer.size()));
  }
  SSL_free(client);
  SSL_CTX_free(client_context);
  return done && !refused;
}

TEST(Tls, refuses_versions_before_1_2) {
  EXPECT_FALSE(connects_with(TLS1_VERSION));
  EXPECT_FALSE(connects_with(TLS1_1_VERSION));
  EXPECT_TRUE(connects_with(TLS1_2_VERSION));
  EXPECT_TRUE(connects_with(TLS1_3_VERSION));
}

TEST(Tls, refuses_other_protocols_than_ours) {
  const TlsAuthority authority{"authority"};
  const auto with = [&](const std::string& ours, const std::string& theirs) {
    Ends ends = connect({.identity = authority.server(), .protocol = ours},
                        {.authorities_pem = authority.pem(), .protocol = theirs});
    return shake(ends);
  };
  EXPECT_EQ(with("http/1.1", "http/1.1"), "");
  EXPECT_EQ(with("http/1.1", ""), "") << "old clients say nothing";
  EXPECT_NE(with("http/1.1", "ftp"), "");
}

TEST(Tls, refuses_bytes_that_are_no_tls) {
  const TlsAuthority authority{"authority"};
  const auto context = TlsContext::make_server({.identity = authority.server()}).value();
  TlsEngine server = TlsEngine::make(context).value();
  ASSERT_TRUE(server.take(as_bytes("GET / HTTP/1.1\r\nHost: h\r\n\r\n")));
  const auto done = server.shake_hands();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::io_unreadable);
  // After the handshake a changed byte ends the connection.
  Ends ends = connect({.identity = authority.server()}, {.authorities_pem = authority.pem()});
  ASSERT_EQ(shake(ends), "");
  ASSERT_TRUE(ends.client.write(as_bytes("question")));
  Bytes changed = ends.client.take_output();
  changed.back() ^= std::byte{1};
  ASSERT_TRUE(ends.server.take(changed));
  EXPECT_TRUE(read_all(ends.server).starts_with("error: "));
}

TEST(Tls, refuses_texts_that_are_no_identity) {
  const TlsAuthority authority{"authority"};
  const TlsIdentity good = authority.server();
  const TlsIdentity other = authority.server();
  const auto code = [](const Result<TlsContext>& made) {
    return made ? std::string{"fine"} : code_word(made.error());
  };
  const auto with = [&](TlsIdentity identity, std::string authorities = {}) {
    return code(TlsContext::make_server(
        {.identity = std::move(identity), .authorities_pem = std::move(authorities)}));
  };
  EXPECT_EQ(with(good), "fine");
  EXPECT_EQ(with({.chain_pem = good.chain_pem + authority.pem(), .key_pem = good.key_pem}), "fine");
  EXPECT_EQ(with({.chain_pem = good.chain_pem, .key_pem = other.key_pem}), "config.invalid");
  EXPECT_EQ(with({.chain_pem = "", .key_pem = good.key_pem}), "config.invalid");
  EXPECT_EQ(with({.chain_pem = good.chain_pem.substr(0, 200), .key_pem = good.key_pem}),
            "config.invalid");
  EXPECT_EQ(
      with({.chain_pem = good.chain_pem + good.chain_pem.substr(0, 200), .key_pem = good.key_pem}),
      "config.invalid");
  EXPECT_EQ(with({.chain_pem = good.chain_pem, .key_pem = "no key"}), "config.invalid");
  EXPECT_EQ(with(good, "no certificate"), "config.invalid");
  EXPECT_EQ(code(TlsContext::make_server({})), "config.invalid");
  const auto key = PrivateKey::read_pem(good.key_pem).value();
  const std::string locked = key.write_pem("secret").value();
  EXPECT_EQ(with({.chain_pem = good.chain_pem, .key_pem = locked}), "signature.bad");
  EXPECT_EQ(with({.chain_pem = good.chain_pem, .key_pem = locked, .passphrase = "wrong"}),
            "signature.bad");
  EXPECT_EQ(with({.chain_pem = good.chain_pem, .key_pem = locked, .passphrase = "secret"}), "fine");
  const auto client = TlsContext::make_client({}).value();
  EXPECT_FALSE(TlsEngine::make(client)) << "a client says whom it wants";
}

}  // namespace
}  // namespace fiducia::crypto
