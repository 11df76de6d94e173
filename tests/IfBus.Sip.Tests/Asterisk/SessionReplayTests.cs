using System.Text;
using IfBus.Sip.Adapters.Asterisk;
using IfBus.Sip.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>A whole session over a stream that comes in pieces: what is left of one piece is moved, and joined with the next.</summary>
public sealed class SessionReplayTests
{
    // Small pieces, pieces about as large as the reader's buffer (128 KiB), and both in turn.
    private static readonly int[][] Pieces = [[1], [7, 1, 64], [1000], [4096, 1, 70_000, 3], [131_071, 2], [131_072], [1_000_000]];

    public static TheoryData<string, string> Recordings() => new() { { "asterisk", "atxfer" }, { "asterisk", "burst-200" }, { "asterisk", "command" }, { "asterisk16", "injection-server" }, { "asterisk16", "channel-ids" } };

    [Theory]
    [MemberData(nameof(Recordings))]
    public async Task A_session_hears_the_same_whatever_the_pieces(string server, string scenario)
    {
        Transcript recording = Transcript.Open(server, scenario);
        string[] expected = [.. new Replay().Feed(recording, 1, Cut.Whole).Messages.Where(m => m.StartsWith("Event: ", StringComparison.Ordinal))];
        foreach (int[] pieces in Pieces) Assert.Equal(expected, await HearAsync(recording.Server(1), pieces));
    }

    [Fact]
    public async Task Messages_larger_than_the_buffer_are_heard_whole()
    {
        var random = new Random(5);
        string[] expected = [.. ((int[])[10, 130_000, 1, 131_072, 250_000, 3, 3, 600_000, 131_050, 5, 1_500_000, 9])
            .Select((size, i) => $"Event: Large\r\nNumber: {i}\r\n{string.Concat(Enumerable.Range(0, 1 + (size / 100_000)).Select(l => $"Line{l}: {new string((char)('a' + random.Next(26)), Math.Min(size, 100_000))}\r\n"))}\r\n")];
        byte[] bytes = Encoding.Latin1.GetBytes("Asterisk Call Manager/11.0.0\r\n" + string.Concat(expected));
        foreach (int[] pieces in Pieces.Skip(2)) Assert.Equal(expected, await HearAsync(bytes, pieces));
    }

    private static async Task<List<string>> HearAsync(byte[] bytes, int[] pieces)
    {
        var ends = new List<int>();
        for (int at = 0; at < bytes.Length;) ends.Add(at = Math.Min(at + pieces[ends.Count % pieces.Length], bytes.Length));
        var sink = new Sink();
        await using AmiSession session = AmiSession.Over(new CutStream(bytes, ends), new SipServerConfiguration(), sink, NullLogger.Instance, new FakeTimeProvider());
        await session.Closed.WaitAsync(TimeSpan.FromMinutes(1));
        return sink.Heard;
    }

    private sealed class Sink : IAmiEventSink
    {
        private bool _reading;

        public List<string> Heard { get; } = [];

        public void OnReadBegins()
        {
            Assert.False(_reading);
            _reading = true;
        }

        public void OnReadEnds() => _reading = false;

        public void OnEvent(ReadOnlySpan<byte> name, ReadOnlySpan<byte> message)
        {
            Assert.True(_reading);
            Heard.Add(Encoding.Latin1.GetString(message));
        }
    }
}
