// SPDX-License-Identifier: Apache-2.0
#include "dimse/command.h"

#include <gtest/gtest.h>

#include "dimse/names.h"
#include "support/support.h"
#include "wire.h"

namespace fiducia::dimse {
namespace {

using test::bytes;

Bytes element(std::uint16_t tag, std::string_view value, std::uint16_t group = 0) {
  Bytes out;
  append_le(out, group);
  append_le(out, tag);
  append_le<std::uint32_t>(out, static_cast<std::uint32_t>(value.size()));
  append(out, as_bytes(value));
  return out;
}

Bytes joined(std::vector<Bytes> elements, int off = 0) {
  Bytes rest;
  for (const Bytes& each : elements) append(rest, each);
  Bytes length;
  append_le<std::uint32_t>(length, static_cast<std::uint32_t>(static_cast<int>(rest.size()) + off));
  Bytes out = element(0x0000, as_text(length));
  append(out, rest);
  return out;
}

std::string two(std::uint16_t number) {
  Bytes out;
  append_le(out, number);
  return std::string{as_text(out)};
}

/// A C-ECHO-RQ as its elements.
std::vector<Bytes> echo_elements() {
  return {element(0x0002, std::string{"1.2.840.10008.1.1\0", 18}), element(0x0100, two(0x0030)),
          element(0x0110, two(7)), element(0x0800, two(0x0101))};
}

TEST(CommandSet, reads_what_was_written) {
  const std::string uid = "1.2.3";
  const std::vector<Command> commands{test::echo(1),
                                      test::store(65'535),
                                      {.field = CommandField::c_store_rq,
                                       .message_id = 2,
                                       .affected_sop_class = uid,
                                       .affected_sop_instance = uid,
                                       .priority = 2,
                                       .has_data_set = true,
                                       .move_originator = "MOVER",
                                       .move_originator_message = 9},
                                      {.field = CommandField::c_move_rq,
                                       .message_id = 3,
                                       .affected_sop_class = uid,
                                       .priority = 0,
                                       .has_data_set = true,
                                       .move_destination = "DEST"},
                                      {.field = CommandField::c_move_rsp,
                                       .message_id = 3,
                                       .affected_sop_class = uid,
                                       .has_data_set = false,
                                       .status = status::pending,
                                       .remaining = 4,
                                       .completed = 3,
                                       .failed = 2,
                                       .warned = 1},
                                      {.field = CommandField::c_cancel_rq, .message_id = 3},
                                      {.field = CommandField::n_action_rq,
                                       .message_id = 4,
                                       .requested_sop_class = uid,
                                       .requested_sop_instance = uid,
                                       .has_data_set = true,
                                       .action_type = 1},
                                      {.field = CommandField::n_event_report_rq,
                                       .message_id = 5,
                                       .affected_sop_class = uid,
                                       .affected_sop_instance = uid,
                                       .has_data_set = true,
                                       .event_type = 2},
                                      {.field = CommandField::c_store_rsp,
                                       .message_id = 6,
                                       .status = std::uint16_t{0xC123},
                                       .offending_elements = {0x00100010, 0x7FE00010},
                                       .error_comment = "no",
                                       .error_id = 9}};
  for (const Command& command : commands) {
    const auto written = write_command(command);
    ASSERT_TRUE(written) << name(command.field) << ": " << to_sentence(written.error());
    EXPECT_EQ(read_command(*written), command) << name(command.field);
    EXPECT_EQ(written->size() % 2, 0U);
  }
}

TEST(CommandSet, reads_one_that_was_written_by_hand) {
  const auto command = read_command(joined(echo_elements()));
  ASSERT_TRUE(command) << to_sentence(command.error());
  EXPECT_EQ(*command, test::echo(7));
}

TEST(CommandSet, has_one_order_each_element_once_and_its_length) {
  EXPECT_FALSE(read_command({}));
  for (const int off : {-2, 1, 2, 1'000}) EXPECT_FALSE(read_command(joined(echo_elements(), off)));
  Bytes without_length;
  for (const Bytes& each : echo_elements()) append(without_length, each);
  EXPECT_FALSE(read_command(without_length));
  for (std::size_t i = 0; i < 4; ++i) {
    auto elements = echo_elements();
    elements.insert(elements.begin() + static_cast<std::ptrdiff_t>(i), elements[i]);
    EXPECT_FALSE(read_command(joined(elements))) << "twice: " << i;
    elements = echo_elements();
    elements.erase(elements.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(read_command(joined(elements))) << "missing: " << i;
    if (i == 0) continue;
    elements = echo_elements();
    std::swap(elements[i - 1], elements[i]);
    EXPECT_FALSE(read_command(joined(elements))) << "swapped: " << i;
  }
  auto foreign = echo_elements();
  foreign.push_back(element(0x0010, "AB", 0x0010));
  EXPECT_FALSE(read_command(joined(foreign)));
}

TEST(CommandSet, ends_anywhere_but_within_an_element) {
  const Bytes whole = joined(echo_elements());
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(read_command(ByteView{whole}.first(size))) << size;
}

TEST(CommandSet, skips_what_is_retired_or_not_used) {
  auto elements = echo_elements();
  elements.insert(elements.begin(), element(0x0001, std::string(4, '\0')));
  elements.push_back(element(0x5110, "RETIRED "));
  const auto command = read_command(joined(elements));
  ASSERT_TRUE(command) << to_sentence(command.error());
  EXPECT_EQ(*command, test::echo(7));
}

TEST(CommandSet, must_have_what_it_is_about) {
  Command none = test::store(1);
  none.affected_sop_instance.reset();
  EXPECT_FALSE(write_command(none));
  none = test::store(1);
  none.has_data_set = false;
  EXPECT_FALSE(write_command(none));
  none = test::echo(1);
  none.has_data_set = true;
  EXPECT_FALSE(write_command(none));
  EXPECT_FALSE(write_command({.field = CommandField::c_store_rsp, .message_id = 1}))
      << "a response without a status";
  auto unknown = echo_elements();
  unknown[1] = element(0x0100, two(0x0031));
  EXPECT_FALSE(read_command(joined(unknown)));
  unknown = echo_elements();
  unknown[2] = element(0x0110, "7   ");
  EXPECT_FALSE(read_command(joined(unknown))) << "a message ID of four bytes";
}

TEST(CommandSet, is_read_up_to_its_limit) {
  auto elements = echo_elements();
  const std::size_t own = joined(elements).size() + 8;
  for (const std::size_t past : {0U, 2U}) {
    elements = echo_elements();
    elements.push_back(
        element(0x5110, std::string(limits::dimse_command_bytes_max - own + past, ' ')));
    const auto command = read_command(joined(elements));
    EXPECT_EQ(command.has_value(), past == 0);
    if (!command) {
      EXPECT_EQ(code_word(command.error()), "limit.reached");
    }
  }
}

TEST(Response, repeats_what_the_request_was_about) {
  const Command answer = respond(test::store(12, "1.2.9"), status::cannot_understand,
                                 "altered: \xC3\xA4 \\ " + std::string(80, 'x'));
  EXPECT_EQ(answer.field, CommandField::c_store_rsp);
  EXPECT_EQ(answer.message_id, 12);
  EXPECT_EQ(answer.affected_sop_instance, "1.2.9");
  EXPECT_EQ(answer.status, 0xC000);
  EXPECT_EQ(answer.error_comment->size(), 64U);
  EXPECT_TRUE(answer.error_comment->starts_with("altered: ?? ? xxx"));
  EXPECT_TRUE(write_command(answer));
  const Command action{.field = CommandField::n_action_rq,
                       .message_id = 4,
                       .requested_sop_class = "1.2",
                       .requested_sop_instance = "1.3",
                       .has_data_set = true,
                       .action_type = 1};
  EXPECT_EQ(respond(action, status::success).affected_sop_class, "1.2");
  EXPECT_EQ(respond(action, status::success).action_type, 1);
}

TEST(Status, is_done_where_the_operation_was) {
  for (const int done : {0x0000, 0xB000, 0xB007, 0x0107})
    EXPECT_TRUE(is_done(static_cast<std::uint16_t>(done))) << done;
  for (const int not_done : {0x0110, 0x0124, 0xA700, 0xC000, 0xFE00, 0xFF00})
    EXPECT_FALSE(is_done(static_cast<std::uint16_t>(not_done))) << not_done;
}

TEST(AeTitle, has_1_to_16_characters_between_its_padding) {
  EXPECT_EQ(read_ae_title(as_bytes("  A B           ")), "A B");
  EXPECT_EQ(read_ae_title(as_bytes({"PACS\0\0\0\0\0\0\0\0\0\0\0\0", 16})), "PACS");
  EXPECT_EQ(read_ae_title(as_bytes("0123456789ABCDEF")), "0123456789ABCDEF");
  for (const std::string_view wrong :
       {std::string_view{""}, std::string_view{"                "}, std::string_view{"A\\B"},
        std::string_view{"A\nB"}, std::string_view{"A\0B", 3}, std::string_view{"\xC4"},
        std::string_view{"0123456789ABCDEFG"}})
    EXPECT_FALSE(read_ae_title(as_bytes(wrong))) << wrong;
}

TEST(UidOfAnAssociation, is_digits_and_dots) {
  EXPECT_EQ(read_uid(as_bytes("1.2")), "1.2");
  EXPECT_EQ(read_uid(as_bytes({"1.2\0", 4})), "1.2");
  EXPECT_EQ(read_uid(as_bytes(std::string(64, '1'))), std::string(64, '1'));
  for (const std::string& wrong : {std::string{}, std::string{"1.2a"}, std::string{" 1.2"},
                                   std::string{"1.2\0\0", 5}, std::string(65, '1')})
    EXPECT_FALSE(read_uid(as_bytes(wrong))) << wrong;
}

}  // namespace
}  // namespace fiducia::dimse
