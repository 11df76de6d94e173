using System.Net;
using System.Net.Http.Headers;

namespace IfBus.Sip.Adapters.Http;

/// <summary>A reply whose head has come. Lives as long as the function that reads it.</summary>
internal sealed class HttpReply(HttpResponseMessage message, Stream body, HttpSettings settings, TimeProvider time)
{
    /// <summary>The status code.</summary>
    public int Status => (int)message.StatusCode;

    /// <summary>True for 200 to 299.</summary>
    public bool IsSuccess => message.IsSuccessStatusCode;

    /// <summary>The words of the status line.</summary>
    public string Reason => message.ReasonPhrase is { Length: > 0 } words ? words : ((HttpStatusCode)Status).ToString();

    /// <summary>The headers.</summary>
    public HttpResponseHeaders Headers => message.Headers;

    /// <summary>The headers of the body.</summary>
    public HttpContentHeaders ContentHeaders => message.Content.Headers;

    /// <summary>True if the body says that it is JSON.</summary>
    public bool IsJson => ContentHeaders.ContentType?.MediaType is { } type && (type.EndsWith("/json", StringComparison.OrdinalIgnoreCase) || type.EndsWith("+json", StringComparison.OrdinalIgnoreCase));

    /// <summary>The body, never more than the settings allow. Read it to its end, so that the connection can be used again.</summary>
    public Stream Body => body;

    /// <summary>
    /// The body of an error as far as it comes: bounded in size and in time, since some servers announce a body that
    /// never comes. What is not read costs the connection.
    /// </summary>
    public async Task<byte[]> ReadErrorAsync(CancellationToken cancellationToken)
    {
        if (ContentHeaders.ContentLength == 0) return [];
        byte[] buffer = new byte[4096];
        int filled = 0;
        using var limit = new CancellationTokenSource(settings.ErrorBodyTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            while (true)
            {
                if (filled == buffer.Length)
                {
                    if (filled >= settings.MaxErrorBytes) break;
                    Array.Resize(ref buffer, Math.Min(filled * 2, settings.MaxErrorBytes));
                }

                int count = await body.ReadAsync(buffer.AsMemory(filled), both.Token).ConfigureAwait(false);
                if (count == 0) break;
                filled += count;
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The status line has to do.
        }
        catch (IOException)
        {
            // The same.
        }

        return buffer.AsSpan(0, filled).ToArray();
    }
}
