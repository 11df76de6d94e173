using System.IO.Enumeration;
using IfBus.Sip.Adapters.Connection;
using IfBus.Sip.Adapters.Diagnostics;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters.Yate;

/// <summary>
/// A handler of call.route, over a connection of its own. A thread of the engine waits for each answer, and an engine
/// whose threads all wait serves nobody (wire/yate, messages: 60 unanswered ones stop it), so every question is answered
/// in time: by the callback, by the clock, or at once when too many wait.
/// </summary>
internal sealed class YateRouteHandler : IExtModuleSink, IAsyncDisposable
{
    // Of the engine's own worker threads (yate.conf, maxworkers, usually 10 to 30) some must be left.
    private const int MostWaiting = 8;

    private readonly object _gate = new();
    private readonly SipRouteRequest _request;
    private readonly Func<SipRouteQuestion, CancellationToken, Task<SipRouteAnswer?>> _decide;
    private readonly Action? _released;
    private readonly WireEndpoint _endpoint;
    private readonly SipServerConfiguration _configuration;
    private readonly string _server;
    private readonly Func<string, string?> _callOf;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly bool _hasWildcards;
    private readonly CancellationTokenSource _end = new();
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _loop;
    private int _waiting;
    private SipRoute _shown;

    private YateRouteHandler(WireEndpoint endpoint, SipServerConfiguration configuration, string server, SipRouteRequest request, Func<SipRouteQuestion, CancellationToken, Task<SipRouteAnswer?>> decide, Action? released, Func<string, string?> callOf, ILogger log, TimeProvider time)
    {
        (_endpoint, _configuration, _server, _request, _decide, _released, _callOf, _log, _time) = (endpoint, configuration, server, request, decide, released, callOf, log, time);
        _hasWildcards = request.Number is { } number && number.AsSpan().IndexOfAny('*', '?') >= 0;
        _shown = new SipRoute { Name = request.Name, Server = server, Number = request.Number, Priority = request.Priority, Timeout = request.Timeout };
        _loop = Task.Run(RunAsync);
    }

    /// <summary>The route as it stands.</summary>
    public SipRoute Shown
    {
        get
        {
            lock (_gate) return _shown;
        }
    }

    /// <summary>Connects, and returns when the engine asks.</summary>
    public static async Task<YateRouteHandler> StartAsync(
        WireEndpoint endpoint, SipServerConfiguration configuration, string server, SipRouteRequest request, Func<SipRouteQuestion, CancellationToken, Task<SipRouteAnswer?>> decide, Action? released, Func<string, string?> callOf, ILogger log, TimeProvider time, CancellationToken cancellationToken)
    {
        var handler = new YateRouteHandler(endpoint, configuration, server, request, decide, released, callOf, log, time);
        try
        {
            await handler._started.Task.WaitAsync(configuration.ConnectTimeout, time, cancellationToken).ConfigureAwait(false);
            return handler;
        }
        catch (TimeoutException e)
        {
            await handler.DisposeAsync().ConfigureAwait(false);
            throw new SipTimeoutException($"{endpoint} did not take a handler of call.route within {configuration.ConnectTimeout.TotalSeconds:0.###} s. No route was registered.", configuration.ConnectTimeout, e);
        }
        catch
        {
            await handler.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public void OnRequest(ExtModuleSession session, scoped in YateLine message, ReadOnlySpan<byte> line)
    {
        byte[] id = message.Id.ToArray();
        string before = YateText.Decode(message.Value);
        string called = message.Text("called"u8) ?? "";
        if (_hasWildcards && !FileSystemName.MatchesSimpleExpression(_request.Number, called))
        {
            session.Answer(id, processed: false, before);
            return;
        }

        if (Interlocked.Increment(ref _waiting) > MostWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            session.Answer(id, processed: false, before);
            Count(s => s with { Asked = s.Asked + 1, Skipped = s.Skipped + 1 });
            return;
        }

        string? leg = message.Text("id"u8);
        var question = new SipRouteQuestion
        {
            Server = _server,
            Called = called,
            Caller = message.Text("caller"u8),
            CallerName = message.Text("callername"u8),
            LegId = leg,
            CallId = (leg is null ? null : _callOf(leg)) ?? message.Text("billid"u8),
            Fields = new SipFieldCollection(YateLine.Fields(message.Parameters)),
        };
        _ = Task.Run(() => AnswerAsync(session, id, before, question));
    }

    /// <inheritdoc/>
    public void OnMessage(scoped in YateLine message, ReadOnlySpan<byte> line)
    {
    }

    /// <inheritdoc/>
    public void OnReadBegins()
    {
    }

    /// <inheritdoc/>
    public void OnReadEnds()
    {
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
    }

    /// <summary>What the engine is told for an answer: the return value and parameters.</summary>
    /// <exception cref="SipArgumentException">It cannot be used.</exception>
    internal static (string Value, List<KeyValuePair<string, string>> Parameters) Write(SipRouteAnswer answer)
    {
        var parameters = new List<KeyValuePair<string, string>>();
        foreach ((string key, string value) in answer.Parameters)
        {
            if (key.Length is 0 or > 200 || key.Any(c => c is '=' or ':' or '%' || char.IsControl(c))) throw new SipArgumentException("Parameters", key, "names without = : % and control characters.");
            parameters.Add(new(key, value));
        }

        if (answer.CallerId is { } shown)
        {
            (string name, string number) = CallRules.CallerId(shown);
            if (number.Length > 0) parameters.Add(new("caller", number));
            if (name.Length > 0) parameters.Add(new("callername", name));
        }

        if (answer.RingTime is { } ring)
        {
            if (ring < TimeSpan.FromMilliseconds(1) || ring > TimeSpan.FromDays(1)) throw new SipArgumentException("RingTime", ring.ToString(), "from 1 ms to one day.");
            parameters.Add(new("maxcall", ((long)ring.TotalMilliseconds).ToString(System.Globalization.CultureInfo.InvariantCulture)));
        }

        if (answer.Refuse is { } cause)
        {
            if (answer.Target is not null) throw new SipArgumentException("Refuse", cause.ToString(), "goes instead of a target.");
            parameters.Add(new("error", YateCauses.Name(cause)));
            return ("-", parameters);
        }

        string target = answer.Target ?? throw new SipArgumentException("Target", null, YateNumbers.EndpointRule + ".");
        return (YateNumbers.Direct(target, null, "Target") ?? throw new SipArgumentException("Target", target, "a number alone says no way; " + YateNumbers.EndpointRule + "."), parameters);
    }

    private async Task AnswerAsync(ExtModuleSession session, byte[] id, string before, SipRouteQuestion question)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        Task<SipRouteAnswer?> deciding = DecideAsync(question, limit.Token);
        Func<SipRoute, SipRoute> outcome;
        try
        {
            SipRouteAnswer? answer = await deciding.WaitAsync(_request.Timeout, _time, _end.Token).ConfigureAwait(false);
            if (answer is null)
            {
                session.Answer(id, processed: false, before);
                outcome = static s => s with { Passed = s.Passed + 1 };
            }
            else
            {
                (string value, List<KeyValuePair<string, string>> parameters) = Write(answer);
                session.Answer(id, processed: true, value, parameters);
                outcome = answer.Refuse is null ? static s => s with { Routed = s.Routed + 1 } : static s => s with { Refused = s.Refused + 1 };
            }
        }
        catch (TimeoutException)
        {
            session.Answer(id, processed: false, before);
            string late = $"no answer for {SipText.Printable(question.Called)} within {_request.Timeout.TotalSeconds:0.###} s";
            Log.RouteFailed(_log, _server, _request.Name, late);
            outcome = s => s with { Late = s.Late + 1, LastError = late };
        }
#pragma warning disable CA1031 // whatever a callback throws, the engine's thread is to be let go
        catch (Exception e)
#pragma warning restore CA1031
        {
            session.Answer(id, processed: false, before);
            if (!_end.IsCancellationRequested) Log.RouteFailed(_log, _server, _request.Name, SipText.Printable(e.Message));
            outcome = s => s with { Failed = s.Failed + 1, LastError = SipText.Printable(e.Message) };
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
            await limit.CancelAsync().ConfigureAwait(false);
        }

        Count(s => outcome(s with { Asked = s.Asked + 1 }));
        // A late callback may still throw.
        _ = deciding.ContinueWith(static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    // A callback that blocks its thread must not keep the clock from answering.
    private Task<SipRouteAnswer?> DecideAsync(SipRouteQuestion question, CancellationToken token) => Task.Run(() => _decide(question, token), token);

    private async Task RunAsync()
    {
        int attempt = 0;
        try
        {
            while (!_end.IsCancellationRequested)
            {
                try
                {
                    using var limit = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
                    limit.CancelAfter(_configuration.ConnectTimeout);
                    ExtModuleSession session = await ExtModuleSession.OpenAsync(_endpoint, _configuration, this, _log, _time, limit.Token).ConfigureAwait(false);
                    await using (session.ConfigureAwait(false))
                    {
                        string filter = _request.Number is { } number && !_hasWildcards ? ":called:" + number : "";
                        ExtModuleAnswer installed = await session.LocalAsync("install", $"{_request.Priority}:call.route{filter}", limit.Token).ConfigureAwait(false);
                        if (!installed.Processed) throw new SipProtocolException("The server takes no handler of call.route.");
                        Count(static s => s with { Active = true });
                        _started.TrySetResult();
                        attempt = 0;
                        await session.Closed.WaitAsync(_end.Token).ConfigureAwait(false);
                    }
                }
                catch (Exception e) when (e is SipException or OperationCanceledException && !_end.IsCancellationRequested)
                {
                    // The first one is for who asked for the route; later ones are tried again.
                    if (_started.TrySetException(e)) return;
                }

                Count(static s => s with { Active = false });
                await Task.Delay(Backoff.Next(_configuration.Reconnect, attempt++, Random.Shared.NextDouble()), _time, _end.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
        finally
        {
            Count(static s => s with { Active = false });
            _started.TrySetCanceled();
            _released?.Invoke();
        }
    }

    private void Count(Func<SipRoute, SipRoute> change)
    {
        lock (_gate) _shown = change(_shown);
    }
}
