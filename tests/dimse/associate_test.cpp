// SPDX-License-Identifier: Apache-2.0
#include "dimse/associate.h"

#include <gtest/gtest.h>

#include <random>

#include "support/support.h"
#include "wire.h"

namespace fiducia::dimse {
namespace {

Bytes written(const AssociateRequest& request) {
  Bytes pdu;
  const Status done = write_associate_request(pdu, request);
  EXPECT_TRUE(done) << to_sentence(done.error());
  return {pdu.begin() + pdu_header_bytes, pdu.end()};
}

void add_item(Bytes& to, std::uint8_t type, ByteView value) {
  to.push_back(static_cast<std::byte>(type));
  to.push_back(std::byte{0});
  append_be<std::uint16_t>(to, static_cast<std::uint16_t>(value.size()));
  append(to, value);
}

/// What stands before the items.
Bytes head() {
  Bytes out = test::bytes("00010000");
  append(out, as_bytes("CALLED          CALLING         "));
  out.resize(68);
  return out;
}

struct Parts {
  Bytes application;
  Bytes contexts;
  Bytes user;
  [[nodiscard]] Bytes body() const {
    Bytes out = head();
    for (const Bytes* part : {&application, &contexts, &user}) append(out, *part);
    return out;
  }
};

Bytes syntaxes() {
  Bytes out;
  add_item(out, 0x30, as_bytes("1.2.840.10008.1.1"));
  add_item(out, 0x40, as_bytes("1.2.840.10008.1.2"));
  return out;
}

Bytes context(std::uint8_t id, ByteView items) {
  Bytes value{static_cast<std::byte>(id), std::byte{0}, std::byte{0xFF}, std::byte{0}};
  append(value, items);
  Bytes out;
  add_item(out, 0x20, value);
  return out;
}

Bytes user_with(std::uint8_t type, ByteView value) {
  Bytes items;
  add_item(items, 0x52, as_bytes("1.2.3"));
  add_item(items, type, value);
  Bytes out;
  add_item(out, 0x50, items);
  return out;
}

Parts parts() {
  Parts out;
  add_item(out.application, 0x10, as_bytes("1.2.840.10008.3.1.1.1"));
  out.contexts = context(1, syntaxes());
  out.user = user_with(0x51, test::bytes("00004000"));
  return out;
}

TEST(AssociateRq, reads_what_was_written) {
  AssociateRequest request = test::ordinary_request();
  EXPECT_EQ(read_associate_request(written(request)), request);
  request.user.window = AsyncWindow{.invoked = 1, .performed = 0};
  request.user.roles = {{std::string{test::ct_uid}, false, true}, {"1.2.9", true, true}};
  request.user.extended = {{std::string{test::ct_uid}, test::bytes("020000000000")}};
  request.user.identity = UserIdentity{.type = 2,
                                       .wants_response = true,
                                       .primary = test::bytes("41"),
                                       .secondary = test::bytes("42")};
  EXPECT_EQ(read_associate_request(written(request)), request);
}

TEST(AssociateAc, reads_what_was_written) {
  AssociateAccept accept = test::ordinary_answer(test::ordinary_request());
  accept.contexts[1] = {
      .id = 3, .result = ContextResult::abstract_syntax_not_supported, .transfer_syntax = ""};
  accept.user.identity_response = test::bytes("0102");
  Bytes pdu;
  ASSERT_TRUE(write_associate_accept(pdu, accept));
  EXPECT_EQ(read_associate_accept(ByteView{pdu}.subspan(pdu_header_bytes)), accept);
}

TEST(AssociateRq, reads_one_that_was_written_by_hand) {
  const auto read = read_associate_request(parts().body());
  ASSERT_TRUE(read) << to_sentence(read.error());
  EXPECT_EQ(read->called_ae_title, "CALLED");
  EXPECT_EQ(read->calling_ae_title, "CALLING");
  EXPECT_EQ(read->contexts.size(), 1U);
  EXPECT_EQ(read->contexts[0].abstract_syntax, "1.2.840.10008.1.1");
  EXPECT_EQ(read->user.p_data_bytes_max, 16'384U);
  EXPECT_EQ(read->user.implementation_class_uid, "1.2.3");
}

TEST(AssociateRq, skips_items_of_later_editions) {
  Parts later = parts();
  add_item(later.application, 0x77, test::bytes("0102"));
  later.user = user_with(0x5F, test::bytes("0102"));
  EXPECT_TRUE(read_associate_request(later.body()));
  Bytes items = syntaxes();
  add_item(items, 0x31, test::bytes("00"));
  later.contexts = context(1, items);
  EXPECT_TRUE(read_associate_request(later.body()));
}

TEST(AssociateRq, refuses_what_two_readers_may_read_differently) {
  const auto refused = [](const Parts& wrong, std::string_view why) {
    EXPECT_FALSE(read_associate_request(wrong.body())) << why;
  };
  Parts wrong = parts();
  append(wrong.application, parts().application);
  refused(wrong, "two application contexts");
  wrong = parts();
  append(wrong.contexts, parts().contexts);
  refused(wrong, "one context ID twice");
  wrong = parts();
  wrong.contexts = context(2, syntaxes());
  refused(wrong, "an even context ID");
  wrong = parts();
  append(wrong.user, parts().user);
  refused(wrong, "two user informations");
  Bytes items = syntaxes();
  add_item(items, 0x30, as_bytes("1.2.3"));
  wrong = parts();
  wrong.contexts = context(1, items);
  refused(wrong, "two abstract syntaxes");
  for (Bytes Parts::* part : {&Parts::application, &Parts::contexts, &Parts::user}) {
    wrong = parts();
    (wrong.*part).clear();
    refused(wrong, "a part is missing");
  }
  items.clear();
  add_item(items, 0x30, as_bytes("1.2.840.10008.1.1"));
  wrong = parts();
  wrong.contexts = context(1, items);
  refused(wrong, "no transfer syntax");
  for (const std::string_view value : {"000040", "0000400000", "00000006"}) {
    wrong = parts();
    wrong.user = user_with(0x51, test::bytes(value));
    refused(wrong, "a maximum length of another size, or too short");
  }
  wrong = parts();
  Bytes twice;
  for (int i = 0; i < 2; ++i) add_item(twice, 0x52, as_bytes("1.2.3"));
  wrong.user.clear();
  add_item(wrong.user, 0x50, twice);
  refused(wrong, "two implementation classes");
  for (const std::string_view value : {"0005312E32", "0003312E3201", "0003312E32010100"}) {
    wrong = parts();
    wrong.user = user_with(0x54, test::bytes(value));
    refused(wrong, "a role selection that does not add up");
  }
}

TEST(AssociateRq, of_another_version_is_told_as_such) {
  Bytes body = parts().body();
  body[1] = std::byte{2};
  const auto read = read_associate_request(body);
  ASSERT_FALSE(read);
  EXPECT_EQ(code_word(read.error()), "unsupported.protocol");
  body[1] = std::byte{3};
  EXPECT_TRUE(read_associate_request(body)) << "versions 1 and 2";
}

TEST(AssociateRq, ends_nowhere_else) {
  AssociateRequest request = test::ordinary_request();
  const Bytes whole = written(request);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(read_associate_request(ByteView{whole}.first(size))) << size;
}

TEST(AssociateRq, with_a_bit_flipped_reads_as_something_that_can_be_written) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE(seed);
  std::mt19937_64 prng{seed};
  AssociateRequest request = test::ordinary_request();
  request.user.roles = {{std::string{test::ct_uid}, false, true}};
  request.user.identity = UserIdentity{.primary = test::bytes("4142"), .secondary = {}};
  const Bytes whole = written(request);
  int read_ones = 0;
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    Bytes flipped = whole;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    const auto read = read_associate_request(flipped);
    if (!read) continue;
    ++read_ones;
    EXPECT_EQ(read_associate_request(written(*read)), *read) << bit;
  }
  EXPECT_GT(read_ones, 500) << "reserved bytes and text at least";
}

TEST(AssociateRq, is_written_up_to_its_limit) {
  AssociateRequest request = test::ordinary_request();
  request.contexts.clear();
  for (std::size_t i = 0; i < limits::dimse_contexts_max; ++i)
    request.contexts.push_back({.id = static_cast<std::uint8_t>(2 * i + 1),
                                .abstract_syntax = std::string(64, '1'),
                                .transfer_syntaxes = std::vector<std::string>(6, "1.2")});
  EXPECT_EQ(read_associate_request(written(request)), request) << "128 contexts";
  for (ProposedContext& context : request.contexts)
    context.transfer_syntaxes.assign(6, std::string(64, '2'));
  Bytes pdu;
  const Status done = write_associate_request(pdu, request);
  ASSERT_TRUE(done) << to_sentence(done.error());
  request.contexts[0].transfer_syntaxes.assign(200, std::string(64, '2'));
  const Status past = write_associate_request(pdu, request);
  ASSERT_FALSE(past);
  EXPECT_EQ(code_word(past.error()), "limit.reached");
}

TEST(AssociateRq, that_its_reader_refuses_is_not_written) {
  AssociateRequest request = test::ordinary_request();
  for (const std::string& title : {std::string{}, std::string(17, 'A'), std::string{"A\\B"}}) {
    request.calling_ae_title = title;
    Bytes pdu;
    EXPECT_FALSE(write_associate_request(pdu, request)) << title;
    EXPECT_TRUE(pdu.empty());
  }
}

}  // namespace
}  // namespace fiducia::dimse
