using System.IO.Pipelines;
using System.Net;
using System.Text;
using IfBus.Sip.Adapters.FreeSwitch;
using IfBus.Sip.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>Commands that run in the connection itself, for a login that is not told of jobs; text that is no text; who a call is from after a failover.</summary>
public sealed class SlowCommandTests
{
    [Fact]
    public async Task A_command_that_takes_longer_than_the_keep_alive_is_waited_for()
    {
        var time = new FakeTimeProvider();
        Pipe up = new(), down = new();
        var configuration = new SipServerConfiguration { KeepAlive = TimeSpan.FromSeconds(5), RequestTimeout = TimeSpan.FromSeconds(100), Credential = new NetworkCredential("a", "b") };
        await using EslSession session = EslSession.Over(new Duplex(down.Reader.AsStream(), up.Writer.AsStream(), () => down.Writer.Complete()), "peer", configuration, new NoSink(), NullLogger.Instance, time);
        Stream peer = down.Writer.AsStream();
        await peer.WriteAsync(Encoding.ASCII.GetBytes("Content-Type: auth/request\n\n"));
        Task<EslReply> slow = session.RunAsync("conference r dial user/1", default);
        for (int i = 0; i < 60; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await peer.WriteAsync(Encoding.ASCII.GetBytes("Content-Type: api/response\nContent-Length: 3\n\n+OK"));
        Assert.Equal("+OK", (await slow.WaitAsync(TimeSpan.FromSeconds(20))).Text);
        Assert.False(session.Closed.IsCompleted);
        // Nothing was sent beside it.
        Assert.Equal("api conference r dial user/1\n\n", Encoding.ASCII.GetString((await up.Reader.ReadAtLeastAsync(30)).Buffer.FirstSpan));
    }

    [Theory]
    [InlineData("D800")]
    [InlineData("0061 DC00 0062")]
    [InlineData("DC00 D800")]
    [InlineData("0065 006E 0064 D83D")]
    public void Half_a_character_is_refused_and_not_sent_as_another(string units)
    {
        // By numbers: as text it would not come whole through the runner.
        string value = string.Concat(units.Split(' ').Select(u => (char)Convert.ToInt32(u, 16)));
        Assert.Equal("Variable", Assert.Throws<SipArgumentException>(() => FreeSwitchCommands.Encode(value, "Variable", value)).Parameter);
        Assert.Equal("Value", Assert.Throws<SipArgumentException>(() => FreeSwitchCommands.EncodeVariable(value)).Parameter);
        Assert.Equal("Field", Assert.Throws<SipArgumentException>(() => FreeSwitchCommands.Raw(new SipCommandRequest("echo", [KeyValuePair.Create("a", value)]))).Parameter);
        var problems = new List<SipConfigurationProblem>();
        FreeSwitchAdapter.Check(new SipServerConfiguration { Host = "h", Credential = new NetworkCredential("a", "b" + value) }, problems);
        Assert.Equal("Credential", Assert.Single(problems).Parameter);
        Assert.DoesNotContain("b" + value, problems[0].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Whole_characters_are_sent_as_they_are() => Assert.Equal("caf\u00e9\U0001f600", FreeSwitchCommands.Encode("caf\u00e9\U0001f600", "Variable", "v"));

    [Fact]
    public async Task After_a_failover_the_call_is_from_the_endpoint_that_answered()
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync();
        SipCall call = await rig.CallAsync(new SipCallRequest { From = "sofia/gateway/busy/busy", FromAlternatives = ["sofia/gateway/answer/2"], To = "1000" });
        Assert.Equal(("sofia/gateway/answer/2", "1000"), (call.From, call.To));
        SipCall one = await rig.CallAsync(new SipCallRequest { To = "sofia/gateway/busy/busy", ToAlternatives = ["sofia/gateway/decline/decline", "3"], Application = "park" });
        Assert.Equal((null, "3"), (one.From, one.To));
        // Nobody answered: it was for the first.
        SipCall none = await rig.CallAsync(new SipCallRequest { From = "sofia/gateway/busy/busy", FromAlternatives = ["sofia/gateway/decline/decline"], To = "1000" }, CallState.Terminated);
        Assert.Equal("sofia/gateway/busy/busy", none.From);
    }

    private sealed class NoSink : IEslEventSink
    {
        public void OnEvent(ReadOnlySpan<byte> name, ReadOnlySpan<byte> json)
        {
        }

        public void OnReadBegins()
        {
        }

        public void OnReadEnds()
        {
        }
    }

    private sealed class Duplex(Stream input, Stream output, Action hangUp) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush() => output.Flush();

        public override Task FlushAsync(CancellationToken cancellationToken) => output.FlushAsync(cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => input.Read(buffer, offset, count);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => input.ReadAsync(buffer, cancellationToken);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => output.Write(buffer, offset, count);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => output.WriteAsync(buffer, cancellationToken);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                // A pipe's reader, unlike a socket, goes on waiting when it is disposed.
                hangUp();
                output.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
