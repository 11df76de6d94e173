using System.Globalization;
using System.Text.Json.Nodes;

namespace IfBus.Sip.Simulators.Flexisip;

/// <summary>
/// FlexiAPI with its accounts in memory. Requests go the way of the real one: the route is found, 2.0 counts it against the
/// limit, the body must be JSON, the Host header must name a space, the login is checked, and then it is carried out.
/// </summary>
internal sealed partial class FlexiApi
{
    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

    private readonly object _gate = new();
    private readonly FlexisipSimulatorOptions _options;
    private readonly List<FlexiAccount> _accounts = [];
    private readonly List<FlexiKey> _keys = [];
    private readonly HashSet<string> _tombstones = [];
    private readonly List<Route> _routes = [];
    private readonly List<string> _pushes = [];
    private readonly List<string> _messages = [];
    private readonly bool _is20;
    private int _nextId = 1;
    private long _requests;
    private DateTime _windowBegan;
    private int _inWindow;

    public FlexiApi(FlexisipSimulatorOptions options)
    {
        _options = options;
        _is20 = options.Version.StartsWith("2.0", StringComparison.Ordinal);
        AddAccount(new FlexisipSimulatorAccount { Address = options.User, Password = options.Password, Admin = true, ApiKey = options.Secret });
        foreach (FlexisipSimulatorAccount account in options.Accounts) AddAccount(account);
        AddRoutes();
    }

    /// <summary>Who may use a route.</summary>
    private enum Role
    {
        Public,
        User,
        Admin,
        Super,
    }

    public Action<string, string>? RequestReceived { get; set; }

    public long Requests => Interlocked.Read(ref _requests);

    public int AccountCount
    {
        get
        {
            lock (_gate) return _accounts.Count;
        }
    }

    public IReadOnlyList<string> Pushes
    {
        get
        {
            lock (_gate) return [.. _pushes];
        }
    }

    public IReadOnlyList<string> SentMessages
    {
        get
        {
            lock (_gate) return [.. _messages];
        }
    }

    private DateTime Now => _options.TimeProvider.GetUtcNow().UtcDateTime;

    /// <summary>An account that did not come by the API.</summary>
    public FlexiAccount AddAccount(FlexisipSimulatorAccount made)
    {
        lock (_gate)
        {
            (string user, string domain) = FlexiStore.Split(made.Address)!.Value;
            var account = new FlexiAccount { Id = _nextId++, Username = user, Domain = domain, Activated = true, Admin = made.Admin, IpAddress = "0.0.0.0", UserAgent = "Test", CreatedAt = Now.AddYears(-3), UpdatedAt = Now };
            account.SetPassword(made.Password, made.Algorithms);
            _accounts.Add(account);
            if (made.ApiKey is { } key) _keys.Add(new FlexiKey(key, account, made.ApiKeyAddress, Personal: false));
            return account;
        }
    }

    public void AddKey(string address, string key, string? clientAddress)
    {
        lock (_gate) _keys.Add(new FlexiKey(key, _accounts.First(a => a.Address == address), clientAddress, Personal: false));
    }

    /// <summary>Answers a request.</summary>
    public FlexiResponse Handle(FlexiRequest request)
    {
        Interlocked.Increment(ref _requests);
        RequestReceived?.Invoke(request.Method, request.Target);
        lock (_gate)
        {
            FlexiResponse response = Serve(request);
            // As the framework adds them to all that it answers itself.
            response.Headers.Add(("Cache-Control", "no-cache, private"));
            if (!_is20) response.Headers.Add(("Access-Control-Allow-Origin", "*"));
            return response;
        }
    }

    private FlexiResponse Serve(FlexiRequest request)
    {
        string method = request.Method == "HEAD" ? "GET" : request.Method;
        string[] parts = request.Path.Trim('/').Split('/');
        Route? route = null;
        string[] values = [];
        List<string> others = [];
        foreach (Route candidate in _routes)
        {
            if (!candidate.Fits(parts, out string[] found)) continue;
            if (candidate.Method == method)
            {
                route = candidate;
                values = found;
                break;
            }

            others.Add(candidate.Method);
        }

        string path = request.Path.Trim('/');
        if (route is null && others.Count > 0)
        {
            string allow = string.Join(", ", Methods.Where(m => others.Contains(m == "HEAD" ? "GET" : m)));
            return FlexiResponse.Error(405, $"The {request.Method} method is not supported for route {path}. Supported methods: {allow}.").With("Allow", allow);
        }

        if (route is null) return FlexiResponse.Error(404, $"The route {path} could not be found.");
        if (!_is20) return Pass(request, route, values);
        FlexiResponse? refused = Count(out int left);
        FlexiResponse response = refused ?? Pass(request, route, values);
        response.Headers.Insert(0, ("X-RateLimit-Limit", Number(_options.RateLimit)));
        response.Headers.Insert(1, ("X-RateLimit-Remaining", Number(left)));
        return response;
    }

    // A window begins with its first request.
    private FlexiResponse? Count(out int left)
    {
        if (Now - _windowBegan >= _options.RateWindow)
        {
            _windowBegan = Now;
            _inWindow = 0;
        }

        left = 0;
        if (_inWindow >= _options.RateLimit)
        {
            TimeSpan wait = _windowBegan + _options.RateWindow - Now;
            int seconds = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds));
            return FlexiResponse.Error(429, "Too Many Attempts.").With("Retry-After", Number(seconds)).With("X-RateLimit-Reset", Number(new DateTimeOffset(Now).ToUnixTimeSeconds() + seconds));
        }

        left = _options.RateLimit - ++_inWindow;
        return null;
    }

    private FlexiResponse Pass(FlexiRequest request, Route route, string[] values)
    {
        if (request.WantsJson && !request.IsBodyFit) return FlexiResponse.Error(400, "Invalid JSON: Syntax error");
        FlexisipSimulatorSpace? space = _options.Spaces.FirstOrDefault(s => s.Host.Equals(request.Host, StringComparison.OrdinalIgnoreCase));
        if (space is null) return FlexiResponse.Error(404, "Host not configured");
        if (space.ExpiresAt < Now) return FlexiResponse.Error(403, "The related Space has expired");
        FlexiAccount? who = null;
        List<(string, string)> challenge = [];
        if (route.Role != Role.Public && Refuse(request, space, route.Role, out who, challenge) is { } refused) return refused;
        FlexiResponse response;
        try
        {
            response = route.Run(new Context(request, space, who!, values));
        }
        catch (FlexiStop stop)
        {
            response = stop.Response;
        }

        response.Headers.AddRange(challenge);
        return response;
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Decode(string part) => Uri.UnescapeDataString(part);

    private void Add(string method, string pattern, Role role, Func<Context, FlexiResponse> run) => _routes.Add(new Route(method, pattern.Split('/'), role, run));

    /// <summary>The account of a path, or the end of the request: a 404, and for what is no number on a write route of 2.1 a 500.</summary>
    private FlexiAccount Find(Context c, string id)
    {
        bool numeric = int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out int number);
        if (!numeric && c.Request.Method != "GET") throw new FlexiStop(FlexiResponse.Error(500, "Server Error"));
        // A super administrator reads only the space of the host on 2.1, but may change what is in any.
        return (numeric ? _accounts.FirstOrDefault(a => a.Id == number && (a.Domain == c.Space.Domain || (IsSuper(c.Who) && (_is20 || c.Request.Method != "GET")))) : null) ?? throw new FlexiStop(Missing($"[App\\Account] {id}"));
    }

    private FlexiResponse Missing(string model) => _is20
        ? FlexiResponse.Json(new JsonObject { ["message"] = "Missing elements to perform the request" }, 404)
        : FlexiResponse.Error(404, $"No query results for model {model}");

    private bool IsSuper(FlexiAccount account) => account.Admin && _options.Spaces.Any(s => s.Super && s.Domain == account.Domain);

    /// <summary>One request under way.</summary>
    /// <param name="Request">It.</param>
    /// <param name="Space">The space of its host.</param>
    /// <param name="Who">Who asks; null on public routes.</param>
    /// <param name="Values">The variable parts of the path, decoded.</param>
    private sealed record Context(FlexiRequest Request, FlexisipSimulatorSpace Space, FlexiAccount Who, string[] Values);

    private sealed record Route(string Method, string[] Parts, Role Role, Func<Context, FlexiResponse> Run)
    {
        public bool Fits(string[] path, out string[] values)
        {
            values = [];
            if (path.Length != Parts.Length) return false;
            var found = new List<string>();
            for (int i = 0; i < path.Length; i++)
            {
                if (Parts[i].StartsWith('{')) found.Add(Decode(path[i]));
                else if (!Parts[i].Equals(path[i], StringComparison.Ordinal)) return false;
            }

            values = [.. found];
            return true;
        }
    }

    /// <summary>Ends a request with an answer.</summary>
    private sealed class FlexiStop(FlexiResponse response) : Exception
    {
        public FlexiResponse Response { get; } = response;
    }
}
