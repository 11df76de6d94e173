using System.Net;
using IfBus.Sip.Adapters.Connection;

namespace IfBus.Sip.Adapters.Http;

/// <summary>
/// Requests to one server over HTTP/1.1: connections of its own that are kept alive, a deadline for each request, every
/// failure as one of our errors. It knows no protocol above HTTP; statuses are the reader's to judge.
/// </summary>
internal sealed class HttpServerClient : IDisposable
{
    private readonly HttpSettings _settings;
    private readonly TimeProvider _time;
    private readonly SocketsHttpHandler _handler;
    private readonly HttpMessageInvoker _invoker;
    private readonly Uri _base;
    private readonly int _headSize;
    private volatile Tuple<string, Uri>? _last;
    // It has spoken HTTP as we are to speak it: no need to ask for TLS any more.
    private volatile bool _understood;

    public HttpServerClient(HttpSettings settings, TimeProvider time)
    {
        _settings = settings;
        _time = time;
        WireEndpoint endpoint = settings.Endpoint;
        _base = new UriBuilder(endpoint.UseTls ? "https" : "http", endpoint.Host, endpoint.Port).Uri;
        _handler = new SocketsHttpHandler
        {
            MaxConnectionsPerServer = settings.Connections,
            PooledConnectionLifetime = settings.ConnectionLifetime,
            PooledConnectionIdleTimeout = settings.IdleTimeout,
            ConnectTimeout = settings.ConnectTimeout,
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            // A reply that was not read to its end costs its connection at once.
            MaxResponseDrainSize = 0,
            ResponseDrainTimeout = TimeSpan.Zero,
            // The same sockets, TLS rules and error texts as for the other kinds of server; an SslStream is taken as it is.
            ConnectCallback = async (_, token) => await (settings.ExplainsTls ? HttpTls.OpenAsync(endpoint, time, token) : endpoint.OpenAsync(token)).ConfigureAwait(false),
        };
        _invoker = new HttpMessageInvoker(_handler, disposeHandler: false);
        _headSize = 200 + _base.AbsoluteUri.Length + (settings.Host?.Length ?? 0) + (settings.Authorization?.ToString().Length + 20 ?? 0) + settings.Headers.Sum(h => h.Key.Length + h.Value.Length + 4);
    }

    /// <summary>Told of every request that found the server gone or silent, on the thread of that request.</summary>
    public Action<SipException>? Failed { get; set; }

    /// <summary>Sends a request and has its reply read, all within its deadline.</summary>
    /// <param name="request">What to send.</param>
    /// <param name="read">Reads the reply; anything that it leaves unread costs the connection.</param>
    /// <param name="cancellationToken">The caller's.</param>
    /// <exception cref="SipArgumentException">The request is larger than the server takes; nothing was sent.</exception>
    /// <exception cref="SipConnectionException">The server is not there, or went away; says whether the request may have arrived.</exception>
    /// <exception cref="SipTimeoutException">No whole reply in time; says whether the request may have arrived.</exception>
    public async Task<T> SendAsync<T>(HttpRequest request, Func<HttpReply, CancellationToken, Task<T>> read, CancellationToken cancellationToken)
    {
        CheckSize(request);
        TimeSpan limit = request.Timeout ?? _settings.RequestTimeout;
        using var deadline = new CancellationTokenSource(limit, _time);
        using CancellationTokenRegistration given = cancellationToken.UnsafeRegister(static s => ((CancellationTokenSource)s!).Cancel(), deadline);
        bool sent = false;
        try
        {
            for (bool again = false; ; again = true)
            {
                using HttpRequestMessage message = Message(request, out HttpBody? body);
                try
                {
                    using HttpResponseMessage response = await _invoker.SendAsync(message, deadline.Token).ConfigureAwait(false);
                    sent = true;
                    if (response is { StatusCode: HttpStatusCode.BadRequest, Content.Headers.ContentType.MediaType: "text/html" }) await CheckClearTextAsync(deadline.Token).ConfigureAwait(false);
                    else _understood = true;
                    Stream stream = await response.Content.ReadAsStreamAsync(deadline.Token).ConfigureAwait(false);
                    return await read(new HttpReply(response, new BoundedStream(stream, _settings.MaxReplyBytes, _settings.Name), _settings, _time), deadline.Token).ConfigureAwait(false);
                }
                catch (HttpRequestException e) when (request.IsRead && !again && IsStale(e))
                {
                    // Closed by the server while it lay idle. A read may be asked twice.
                    sent = true;
                }
                finally
                {
                    sent |= body?.WasSent == true;
                }
            }
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            if (FindOwn(e) is { } own) throw Tell(Known(own, request, sent));
            if (!deadline.IsCancellationRequested) throw Tell(new SipConnectionException($"Cannot connect to {_settings.Endpoint} within {_settings.ConnectTimeout.TotalSeconds:0.###} s.", e) { Server = _settings.Name, NothingDone = request.IsRead || !sent });
            throw Tell(new SipTimeoutException($"{_settings.Name} did not answer {request.What} within {limit.TotalSeconds:0.###} s.{Fate(request, sent)}", limit, e) { Server = _settings.Name, OutcomeUnknown = sent && !request.IsRead, NothingDone = !sent || request.IsRead });
        }
        catch (HttpRequestException e)
        {
            if (FindOwn(e) is { } own) throw Tell(Known(own, request, sent));
            try
            {
                if (e.HttpRequestError is HttpRequestError.InvalidResponse or HttpRequestError.ResponseEnded || e.InnerException is IOException) await CheckClearTextAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (SipConnectionException tls)
            {
                throw Tell(tls);
            }

            if (e.HttpRequestError is HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded or HttpRequestError.VersionNegotiationError)
                throw Tell(new SipProtocolException($"What {_settings.Name} answered to {request.What} is not HTTP: {SipText.Printable(SipText.Reason(e))}.", e));
            throw Tell(Lost(request, sent, e));
        }
        catch (IOException e)
        {
            throw Tell(Lost(request, sent: true, e));
        }
    }

    public void Dispose()
    {
        _invoker.Dispose();
        _handler.Dispose();
    }

    // What a port with TLS makes of clear text differs: an alert, a closed connection, or 400 in clear text.
    private async Task CheckClearTextAsync(CancellationToken cancellationToken)
    {
        if (_understood || !_settings.ExplainsTls || _settings.Endpoint.UseTls || !await HttpTls.IsSpokenAsync(_settings.Endpoint, _time, cancellationToken).ConfigureAwait(false)) return;
        throw new SipConnectionException($"{_settings.Endpoint} speaks TLS on this port, and was asked in clear text.", null, "SipTlsRequired")
        {
            Server = _settings.Name,
            // The port reads TLS only: it has understood nothing.
            NothingDone = true,
        };
    }

    private static bool IsStale(HttpRequestException e) =>
        e.HttpRequestError == HttpRequestError.ResponseEnded || (e.HttpRequestError is HttpRequestError.Unknown && e.InnerException is IOException);

    // What opening a connection said is more exact than what HTTP makes of it.
    private static SipException? FindOwn(Exception e)
    {
        for (Exception? inner = e; inner is not null; inner = inner.InnerException)
        {
            if (inner is SipException own) return own;
        }

        return null;
    }

    private static SipException Known(SipException e, HttpRequest request, bool sent)
    {
        e.NothingDone = request.IsRead || !sent;
        return e;
    }

    private static string Fate(HttpRequest request, bool sent) => request.IsRead ? "" : sent ? " It may have been carried out." : " Nothing was sent.";

    private SipConnectionException Lost(HttpRequest request, bool sent, Exception e) =>
        new($"{_settings.Name} ({_settings.Endpoint}) closed the connection before it answered {request.What}.{Fate(request, sent)}", e, "SipConnectionLost") { Server = _settings.Name, OutcomeUnknown = sent && !request.IsRead, NothingDone = !sent || request.IsRead };

    private SipException Tell(SipException e)
    {
        Failed?.Invoke(e);
        return e;
    }

    private HttpRequestMessage Message(HttpRequest request, out HttpBody? body)
    {
        // A request that changes something always has a body, if an empty one: the handler sends again, by itself, what
        // has none and met a closed connection.
        body = request.Body is { } bytes ? new HttpBody(bytes) : request.IsRead ? null : new HttpBody(default);
        var message = new HttpRequestMessage(request.Method, Address(request.Path)) { Content = body, Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        if (_settings.Host is { } host) message.Headers.Host = host;
        message.Headers.Authorization = _settings.Authorization;
        message.Headers.TryAddWithoutValidation("Accept", "application/json");
        foreach ((string name, string value) in _settings.Headers) message.Headers.TryAddWithoutValidation(name, value);
        foreach ((string name, string value) in request.Headers)
        {
            message.Headers.Remove(name);
            message.Headers.TryAddWithoutValidation(name, value);
        }

        return message;
    }

    // Put together, not resolved: a path that begins with // would be another host. Mostly it is the same one again.
    private Uri Address(string path)
    {
        if (_last is { } last && last.Item1 == path) return last.Item2;
        var uri = new Uri(_base.GetLeftPart(UriPartial.Authority) + path);
        _last = Tuple.Create(path, uri);
        return uri;
    }

    private void CheckSize(HttpRequest request)
    {
        long size = (long)_headSize + request.Path.Length + (request.Body?.Length ?? 0) + request.Headers.Sum(static h => h.Key.Length + h.Value.Length + 4);
        if (size <= _settings.MaxRequestBytes) return;
        throw new SipArgumentException(null, $"The request {request.What} of {size} bytes", $"{_settings.Name} takes {_settings.MaxRequestBytes} bytes of a request, head and body{(_settings.MaxRequestRule is { } rule ? $" ({rule})" : "")}. Nothing was sent.", "SipRequestTooLarge") { Server = _settings.Name };
    }
}
