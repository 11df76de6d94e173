using System.Net.Sockets;
using System.Text;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Yate;

/// <summary>Plays an engine to which a test may put other words into the mouth.</summary>
internal sealed class YatePeer : IDisposable
{
    private readonly ScriptedPeer _peer;
    private readonly List<string> _lines = [];
    private readonly SemaphoreSlim _writing = new(1);

    /// <param name="say">
    /// Given each line, and what an engine would answer it (null where that hangs on its calls); says what is answered
    /// instead, bytes as characters, "" for nothing, null to close.
    /// </param>
    public YatePeer(Func<string, string?, string?> say) => _peer = new ScriptedPeer(async (stream, _, token) =>
    {
        Stream = stream;
        using var reader = new StreamReader(stream, Encoding.UTF8, leaveOpen: true);
        while (await reader.ReadLineAsync(token) is { } line)
        {
            lock (_lines) _lines.Add(line);
            if (say(line, Usual(line)) is not { } answer) return;
            await WriteAsync(Encoding.Latin1.GetBytes(answer), token);
            if (line == "%%>quit") return;
        }
    });

    public int Port => _peer.Port;

    /// <summary>The connection that is served.</summary>
    public NetworkStream? Stream { get; private set; }

    /// <summary>What came, in order.</summary>
    public string[] Lines
    {
        get
        {
            lock (_lines) return [.. _lines];
        }
    }

    /// <summary>The id of a message.</summary>
    public static string IdOf(string line) => line.Split(':')[1];

    /// <summary>Says something by itself.</summary>
    public async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken token = default)
    {
        await _writing.WaitAsync(token);
        try
        {
            await Stream!.WriteAsync(bytes, token);
        }
        finally
        {
            _writing.Release();
        }
    }

    public void Dispose()
    {
        _peer.Dispose();
        _writing.Dispose();
    }

    private static string? Usual(string line)
    {
        if (line.StartsWith("%%>connect", StringComparison.Ordinal)) return "";
        if (line == "%%>quit") return "%%<quit\n";
        if (line == "%%>setlocal:engine.version:") return "%%<setlocal:engine.version:6.4.1:true\n";
        if (line == "%%>setlocal:runid:") return "%%<setlocal:runid:1795385604:true\n";
        if (line.StartsWith("%%>setlocal:", StringComparison.Ordinal) || line.StartsWith("%%>watch:", StringComparison.Ordinal) || line.StartsWith("%%>install:", StringComparison.Ordinal)) return "%%<" + line[3..] + ":true\n";
        if (!line.Contains(":engine.status:", StringComparison.Ordinal)) return null;
        string value = line.Contains("details=false", StringComparison.Ordinal)
            ? "name=cdrbuild,type=cdr,format=Status|Caller|Called|BillId|Duration;cdrs=0%M%Jname=dumb,type=varchans,format=Status|Address|Peer;chans=0%M%Jname=pbx,type=misc;%M%J"
            : line.Contains("module=cdrbuild", StringComparison.Ordinal) ? "name=cdrbuild,type=cdr,format=Status|Caller|Called|BillId|Duration;cdrs=0%M%J" : "name=dumb,type=varchans,format=Status|Address|Peer;chans=0%M%J";
        return $"%%<message:{IdOf(line)}:false:engine.status:{value}\n";
    }
}
