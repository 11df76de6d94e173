namespace IfBus.Sip.Simulators.Yate;

/// <summary>A kind of channel.</summary>
internal abstract class YateDriver
{
    private readonly Dictionary<string, YateChannel> _channels = [];
    private readonly SortedDictionary<int, YateChannel> _inOrder = [];
    private readonly string _type;
    private int _made;

    protected YateDriver(YateEngine engine, string name, string type = "misc")
    {
        Engine = engine;
        Name = name;
        _type = type;
        Prefix = name + "/";
    }

    public YateEngine Engine { get; }

    public string Name { get; }

    public string Prefix { get; }

    /// <summary>Channels, oldest first.</summary>
    public IEnumerable<YateChannel> Channels => _inOrder.Values;

    public int Count => _channels.Count;

    /// <summary>Calls that were routed, and are being routed.</summary>
    public int RoutedCalls { get; set; }

    public int Routing { get; set; }

    protected int Total { get; private set; }

    public string NextId() => Prefix + YateText.Word(++_made);

    public YateChannel? Find(string? id) => id is not null && _channels.TryGetValue(id, out YateChannel? channel) ? channel : null;

    public void Add(YateChannel channel)
    {
        channel.Number = ++Total;
        _channels[channel.Id] = channel;
        _inOrder[channel.Number] = channel;
        Engine.Count(+1);
    }

    public void Remove(YateChannel channel)
    {
        if (!_channels.Remove(channel.Id)) return;
        _inOrder.Remove(channel.Number);
        Engine.Count(-1);
    }

    /// <summary>A restart: all is forgotten, and ids begin again.</summary>
    public void Reset()
    {
        _channels.Clear();
        _inOrder.Clear();
        (_made, Total, RoutedCalls, Routing) = (0, 0, 0, 0);
    }

    /// <summary>Starts a call to one of its addresses, for the endpoint the message is about or, without one, from itself.</summary>
    public abstract ValueTask<bool> ExecuteAsync(YateMessage message, string address);

    /// <summary>Installs what every driver has.</summary>
    public void Install(params string[] more)
    {
        Engine.Install("chan.masquerade", 10, Name, m => new(Masquerade(m)));
        Engine.Install("chan.locate", 40, Name, m => new(Locate(m)));
        Engine.Install("call.drop", 60, Name, m => new(Drop(m)));
        Engine.Install("call.execute", 90, Name, Execute);
        Engine.Install("chan.control", 90, Name, m => new(Target(m)?.Control(m) ?? false));
        Engine.Install("engine.status", 110, Name, m => new(StatusOf(m)));
        Engine.Install("engine.timer", 90, Name, m =>
        {
            foreach (YateChannel channel in _inOrder.Values.ToArray()) Held(channel, c => c.CheckTimers(m));
            return new(false);
        });
        foreach (string name in more)
        {
            Engine.Install(name, 100, Name, name switch
            {
                "call.progress" => m => new(Taker(m)?.Progress(m) ?? false),
                "call.ringing" => m => new(Taker(m)?.Ringing(m) ?? false),
                "call.answered" => m => new(Taker(m)?.Answer(m) ?? false),
                "call.update" => m => Target(m)?.UpdateAsync(m) ?? new(false),
                "chan.dtmf" => m => new(Target(m)?.Tone(m) ?? false),
                _ => throw new ArgumentException(name),
            });
        }
    }

    /// <summary>Ends all its channels.</summary>
    public void DropAll(YateParams message)
    {
        foreach (YateChannel channel in _inOrder.Values.ToArray()) Held(channel, c => c.Drop(message, message["reason"]));
    }

    /// <summary>What is counted, beside what every driver counts.</summary>
    protected virtual string Counters() => $"routed={RoutedCalls},routing={Routing},total={Total},chans={Count}";

    protected virtual string Format => ",format=Status|Address|Peer";

    /// <summary>More that can be dropped or asked for by id than channels.</summary>
    protected virtual bool DropOther(YateMessage message, string id) => false;

    protected virtual string? StatusOfOther(string id) => null;

    /// <summary>A row of the status.</summary>
    protected virtual string Row(YateChannel channel) => $"{channel.Id}={channel.Status}|{YateText.Row(channel.Address)}|{channel.PeerId}";

    /// <summary>Does something with a channel that may end by it.</summary>
    protected static void Held(YateChannel channel, Action<YateChannel> action)
    {
        if (channel.Dead) return;
        channel.Ref();
        action(channel);
        channel.Deref();
    }

    // The peer that a message names, else its target.
    private YateChannel? Target(YateMessage message)
    {
        string id = message["peerid"] ?? "";
        if (!id.StartsWith(Prefix, StringComparison.Ordinal)) id = message["targetid"] ?? "";
        return Find(id);
    }

    private YateChannel? Taker(YateMessage message) => Target(message) is { Outgoing: false, Answered: false } channel ? channel : null;

    private ValueTask<bool> Execute(YateMessage message)
    {
        string to = message["callto"] ?? "";
        return to.StartsWith(Prefix, StringComparison.Ordinal) && !Engine.Exiting ? ExecuteAsync(message, to[Prefix.Length..]) : new(false);
    }

    private bool Masquerade(YateMessage message)
    {
        if (Find(message["id"]) is not { } channel) return false;
        message.Name = message["message"] ?? "";
        message.Clear("message");
        message.About = channel;
        if (channel.Masquerade(message)) return true;
        channel.Complete(message, message.Bool("complete_minimal"));
        return false;
    }

    private bool Locate(YateMessage message)
    {
        if (Find(message["id"]) is not { } channel) return false;
        message.About = channel;
        return true;
    }

    private bool Drop(YateMessage message)
    {
        string id = message["id"] ?? "";
        if (id.StartsWith(Prefix, StringComparison.Ordinal) && DropOther(message, id[Prefix.Length..])) return true;
        // No id at all means everything, and is not even answered with true (call-drop-everything).
        if (id.Length == 0 || id == Name || id == _type)
        {
            DropAll(message);
            return id == Name;
        }

        if (Find(id) is not { } channel) return false;
        Held(channel, c => c.Drop(message, message["reason"]));
        return true;
    }

    private bool StatusOf(YateMessage message)
    {
        string module = message["module"] ?? "";
        if (module.StartsWith(Prefix, StringComparison.Ordinal))
        {
            if (StatusOfOther(module[Prefix.Length..]) is { } other)
            {
                message.Return = other;
                return true;
            }

            if (Find(module) is not { } channel) return false;
            message.Set("module", Name);
            channel.Complete(message);
            message.Return = $"name={channel.Id},type=channel;{channel.StatusText()}\r\n";
            return true;
        }

        if (module.Length > 0 && module != Name && (module != _type || _type != "misc")) return false;
        message.Return += $"name={Name},type={_type}{Format};{Counters()}";
        if (message.Bool("details", true) && Count > 0) message.Return += ";" + string.Join(',', _inOrder.Values.Select(Row));
        message.Return += "\r\n";
        return module == Name && _type == "misc";
    }
}
