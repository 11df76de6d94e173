using System.Net;
using System.Net.Http.Headers;

namespace IfBus.Sip.Adapters.Http;

/// <summary>
/// A body of known length, so that it is never sent in chunks (Kamailio does not answer those), and that remembers that
/// it was handed over: from then on the server may have carried it out.
/// </summary>
internal sealed class HttpBody : HttpContent
{
    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private readonly ReadOnlyMemory<byte> _bytes;

    public HttpBody(ReadOnlyMemory<byte> bytes)
    {
        _bytes = bytes;
        if (!bytes.IsEmpty) Headers.ContentType = Json;
    }

    /// <summary>True once the first byte may have left.</summary>
    public bool WasSent { get; private set; }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        WasSent = true;
        return stream.WriteAsync(_bytes, cancellationToken).AsTask();
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _bytes.Length;
        return true;
    }
}
