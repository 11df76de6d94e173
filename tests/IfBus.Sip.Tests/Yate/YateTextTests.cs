using System.Buffers;
using System.Text;
using IfBus.Sip.Adapters.Yate;

namespace IfBus.Sip.Tests.Yate;

/// <summary>The escapes of the external module protocol, against a strict decoder of the test's own (wire/yate, escapes).</summary>
public sealed class YateTextTests
{
    [Theory]
    [InlineData("")]
    [InlineData("plain = text 'q' \"d\"")]
    [InlineData("a:b")]
    [InlineData("100%")]
    [InlineData("%z%Z%%M%J%")]
    [InlineData("\u0001\t\r\n\u001f\u007f")]
    [InlineData("caf\u00e9 \u6f22 \ud83d\ude00")]
    public void Values_go_out_as_the_engine_reads_them_and_come_back(string value)
    {
        byte[] encoded = Encode(value);
        Assert.DoesNotContain(encoded, b => b is < 32 or (byte)':');
        Assert.Equal(value, Strict(encoded));
        Assert.Equal(value, YateText.Decode(encoded));
    }

    [Fact]
    public void Any_text_round_trips_or_is_refused()
    {
        var random = new Random(20261124);
        const string Alphabet = "ab:%=\r\n\t\0zZMJ @_}\u0001\u001f\u00e9\u6f22\ud83d";
        for (int i = 0; i < 20_000; i++)
        {
            string value = string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => Alphabet[random.Next(Alphabet.Length)]));
            bool good = !value.Contains('\0', StringComparison.Ordinal) && !value.Contains('\ud83d', StringComparison.Ordinal);
            if (!good)
            {
                Assert.Throws<SipArgumentException>(() => Encode(value));
                continue;
            }

            byte[] encoded = Encode(value);
            Assert.Equal(value, Strict(encoded));
            Assert.Equal(value, YateText.Decode(encoded));
        }
    }

    [Theory]
    [InlineData("%", "%")]
    [InlineData("a%", "a%")]
    [InlineData("%j", "%j")]
    [InlineData("%}", "=")]
    [InlineData("% x", "% x")]
    public void What_is_no_good_escape_stays_as_it_is(string wire, string text) => Assert.Equal(text, YateText.Decode(Encoding.UTF8.GetBytes(wire)));

    [Fact]
    public void Bytes_that_are_no_text_are_shown_and_harm_nothing() => Assert.Equal("a\ufffdb", YateText.Decode([(byte)'a', 0xC0, (byte)'b']));

    [Fact]
    public void A_line_is_taken_apart_at_colons_and_parameters_found_by_whole_names()
    {
        YateLine line = YateLine.Parse("%%<message::true:call.x:ret%zval:id=sip/1:targetid=sip/2:empty=:text=a%%b:handlers=x"u8);
        Assert.Equal(YateLineKind.Watched, line.Kind);
        Assert.True(line.Processed);
        Assert.Equal("sip/1", line.Text("id"u8));
        Assert.Equal("a%b", line.Text("text"u8));
        Assert.True(line.Has("empty"u8));
        Assert.False(line.Has("get"u8));
        Assert.Null(line.Text("d"u8));
        Assert.Equal("ret:val", YateText.Decode(line.Value));
        Assert.Equal(["id", "targetid", "empty", "text"], YateLine.Fields(line.Parameters).Select(f => f.Name));
    }

    [Theory]
    [InlineData("", YateLineKind.Other)]
    [InlineData("%%", YateLineKind.Other)]
    [InlineData("Asterisk Call Manager/9.0.0", YateLineKind.Other)]
    [InlineData("%%<message", YateLineKind.Watched)]
    [InlineData("%%>message:x", YateLineKind.Request)]
    [InlineData("%%<message:7:maybe", YateLineKind.Answer)]
    [InlineData("%%<setlocal", YateLineKind.Local)]
    [InlineData("Error in: %%>x", YateLineKind.Error)]
    public void Half_lines_are_no_trouble(string line, object kind) => Assert.Equal(kind, YateLine.Parse(Encoding.UTF8.GetBytes(line)).Kind);

    private static byte[] Encode(string value)
    {
        var writer = new ArrayBufferWriter<byte>();
        YateText.Encode(writer, value, "Value");
        return writer.WrittenSpan.ToArray();
    }

    // As the engine does it: everything else after a percent sign is an error, and a last one is not (it becomes 0xC0).
    private static string Strict(byte[] wire)
    {
        var bytes = new List<byte>();
        for (int i = 0; i < wire.Length; i++)
        {
            Assert.True(wire[i] is >= 32 and not (byte)':');
            if (wire[i] != '%')
            {
                bytes.Add(wire[i]);
                continue;
            }

            Assert.True(i + 1 < wire.Length, "a percent sign at the end");
            byte next = wire[++i];
            Assert.True(next is (byte)'%' or (byte)'z' or (>= (byte)'A' and <= (byte)'_'), $"%{(char)next}");
            bytes.Add(next switch { (byte)'%' => (byte)'%', (byte)'z' => (byte)':', _ => (byte)(next - 64) });
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }
}
