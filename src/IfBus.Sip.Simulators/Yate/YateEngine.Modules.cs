using System.Globalization;

namespace IfBus.Sip.Simulators.Yate;

/// <summary>The modules of the engine, what starts and stops it, and what it says of itself.</summary>
internal sealed partial class YateEngine
{
    private int _stops;

    public DumbDriver Dumb { get; private set; } = null!;

    public SipDriver Sip { get; private set; } = null!;

    public WaveDriver Wave { get; private set; } = null!;

    public ToneDriver Tone { get; private set; } = null!;

    public ConferenceDriver Conferences { get; private set; } = null!;

    public MohModule Moh { get; private set; } = null!;

    public CdrBuilder Cdrs { get; }

    public Registrar Registrar { get; private set; } = null!;

    public PbxModule Pbx { get; private set; } = null!;

    public IReadOnlyList<YateDriver> Drivers { get; private set; } = [];

    /// <summary>Programs that it was told to run; none is ever run.</summary>
    public List<string> Commands { get; } = [];

    /// <summary>What setlocal tells of the engine.</summary>
    public Dictionary<string, string> RunParameters { get; } = [];

    /// <summary>Modules as their files are called.</summary>
    public static IReadOnlySet<string> Loaded { get; } = new HashSet<string>
    {
        "extmodule", "rmanager", "regexroute", "ysipchan", "yrtpchan", "cdrbuild", "cdrfile", "tonegen", "tonedetect", "wavefile", "moh",
        "conference", "dumbchan", "callgen", "pbx", "callfork", "mux", "park", "pbxassist", "regfile", "openssl", "msgsniff",
    };

    /// <summary>Starts it, again.</summary>
    public void Boot()
    {
        Exiting = false;
        _stops = 0;
        // Two starts in one second would look like one.
        RunId = Math.Max(Now / 1_000_000, RunId + 1);
        _bill = 0;
        _busy = 0;
        _queue.Clear();
        foreach (YateDriver driver in Drivers) driver.Reset();
        Moh.Reset();
        Conferences.Rooms.Clear();
        Cdrs.Reset();
        Volatile.Write(ref _channels, 0);
        (string Name, string Value)[] parameters =
        [
            ("version", Options.Version), ("release", "devel1"), ("revision", ""), ("nodename", Options.NodeName), ("runid", RunId.ToString(CultureInfo.InvariantCulture)),
            ("configname", "yate"), ("cfgsuffix", ".conf"), ("modsuffix", ".yate"), ("clientmode", "false"), ("supervised", "false"),
            ("minworkers", "1"), ("maxworkers", YateText.Word(Options.MaxWorkers)), ("addworkers", "1"), ("logfile", ""), ("sharedpath", "/usr/local/share/yate"), ("configpath", "/usr/local/conf"), ("modulepath", "/usr/local/lib/yate"),
        ];
        foreach ((string name, string value) in parameters) RunParameters[name] = value;
        StartTimer();
    }

    /// <summary>As a signal to the real one: says so, ends all calls, asks the handlers of engine.halt. The sockets close after.</summary>
    public async Task StopAsync()
    {
        _timer?.Dispose();
        Exiting = true;
        await DispatchAsync(OfNode("engine.stop")).ConfigureAwait(true);
        Pump();
        await DispatchAsync(OfNode("engine.stop")).ConfigureAwait(true);
        YateMessage halt = OfNode("engine.halt");
        await DispatchAsync(halt).ConfigureAwait(true);
        foreach (YateDriver driver in Drivers) driver.DropAll(halt);
        Pump();
    }

    /// <summary>Nothing happens any more.</summary>
    public void End()
    {
        _timer?.Dispose();
        // What waits for a client goes on, and comes to its end, in this run.
        foreach (ExtModConnection client in _clients.ToArray()) client.Leave();
        _queue.Clear();
        foreach (YateChannel channel in Drivers.SelectMany(driver => driver.Channels)) channel.Forget();
    }

    private YateMessage OfNode(string name)
    {
        YateMessage message = NewMessage(name);
        message.Set("nodename", Options.NodeName);
        return message;
    }

    private void StartTimer()
    {
        _timer?.Dispose();
        // A second passes on the second, as the engine tries to have it.
        long first = 1_000_000 - (Now % 1_000_000);
        _timer = Options.TimeProvider.CreateTimer(_ => Loop.Post(Tick), null, TimeSpan.FromMicroseconds(first), TimeSpan.FromSeconds(1));
    }

    private void Tick()
    {
        if (Exiting) return;
        var message = new YateMessage("engine.timer", Now) { Broadcast = true };
        message.Set("time", YateText.Word(message.Time / 1_000_000)).Set("nodename", Options.NodeName);
        Enqueue(message);
    }

    private void BuildModules()
    {
        Tone = new ToneDriver(this);
        Dumb = new DumbDriver(this);
        Wave = new WaveDriver(this);
        Sip = new SipDriver(this);
        Conferences = new ConferenceDriver(this);
        Moh = new MohModule(this);
        Pbx = new PbxModule(this);
        Registrar = new Registrar(this);
        Drivers = [Tone, Dumb, Wave, Sip, Conferences];

        // Modules that only look on are in the trace of handlers; the order of equal priorities is that of this list.
        Seen("callfork", 10, "chan.masquerade");
        Seen("callfork", 40, "chan.locate");
        Seen("pbxassist", 15, "chan.startup", "chan.disconnected", "chan.hangup", "call.execute", "chan.operation", "chan.dtmf");
        Seen("callfork", 20, "call.answered", "call.ringing", "call.progress");
        Seen("yrtp", 50, "chan.hangup", "call.execute", "call.answered", "call.ringing", "call.progress");
        Cdrs.Install();
        Install("engine.status", 90, "engine", EngineStatus);
        Install("engine.status", 100, "callgen", m => new(Text(m, "callgen", "name=callgen,type=varchans,format=Status|Callto;total=0,ring=0,answered=0,chans=0", ";")));
        Cdrs.InstallStatus();
        Install("engine.status", 100, "rex_debug", m => new(Text(m, "rex_debug", "name=rex_debug,type=misc;", "", misc: true)));
        Install("engine.status", 100, "moh", m => new(Text(m, "moh", $"name=moh,type=misc;sources={Moh.Sources},chans={Moh.Count}", "", mine: false)));
        Install("engine.status", 100, "regfile", m => new(Text(m, "regfile", $"name=regfile,type=misc;create=false,defined={Options.Users.Count},users={Registrar.Contacts.Count}", Registrar.Rows(), misc: true, mine: false)));
        Install("engine.status", 110, "mux", m => new(Text(m, "mux", "name=mux,type=misc;count=0,format=channels|targetid", "", misc: true)));
        Install("engine.status", 110, "openssl", m => new(Text(m, "openssl", "name=openssl,type=misc;contexts=1", ";tlsctx=", misc: true)));
        Install("engine.status", 110, "callfork", m => new(Text(m, "callfork", "name=callfork,type=misc;total=0,forks=0", "", misc: true)));
        Seen("callgen", 100, "call.answered", "call.ringing");
        Seen("callfork", 100, "chan.dtmf");
        Tone.Install();
        Install("engine.status", 110, "yrtp", m => new(Text(m, "yrtp", $"name=yrtp,type=misc;chans={Sip.Count},mirrors=0", "", misc: true)));
        Dumb.Install("call.answered", "call.ringing", "chan.dtmf");
        Install("engine.status", 110, "regexroute", m => new(Text(m, "regexroute", "name=regexroute,type=route;sections=1,extra=0,variables=0,processing=0", "")));
        Wave.Install("call.answered", "call.ringing", "chan.dtmf");
        Sip.Install("call.answered", "call.ringing", "chan.dtmf", "call.progress", "call.update");
        Install("engine.status", 110, "tonedetect", m => new(Text(m, "tonedetect", "name=tonedetect,type=misc;count=0", "", misc: true)));
        Conferences.Install("call.answered", "call.ringing");
        Conferences.InstallMore();
        Install("engine.status", 110, "pbx", m => new(Text(m, "pbx", "name=pbx,type=misc;", "", misc: true)));
        Install("engine.status", 110, "extmodule", m => new(Text(m, m["module"] == "external" ? "external" : "extmodule", $"name=extmodule,type=misc;scripts={_clients.Count},chans=0", "", misc: true)));
        Install("engine.status", 110, "pbxassist", m => new(Text(m, "pbxassist", "name=pbxassist,type=misc,format=State|Keys;assisted=0,incoming=true,dtmfpass=false,dialheld=false,diversion=false", "", misc: true)));
        Install("engine.status", 110, "park", m => new(Text(m, "park", "name=park,type=misc;", "", misc: true)));
        Install("call.route", 100, "regexroute", m => new(Routes.Route(m)));
        Seen("sip", 100, "call.route");
        Registrar.Install();
        Seen("callfork", 100, "call.execute");
        Seen("callgen", 100, "call.execute", "call.drop");
        Pbx.Install();
        Moh.Install();
        Seen("yrtp", 150, "chan.dtmf");
        Seen("cdrfile", 100, "call.cdr");
        Seen("regfile", 100, "engine.timer");
        // The first time it asks for another second, in which its phones can be told.
        Install("engine.stop", 100, "sip", m =>
        {
            Sip.DropAll(m);
            return new(_stops++ == 0);
        });
        InstallCommands();
    }

    private void Seen(string module, int priority, params string[] names)
    {
        foreach (string name in names) Install(name, priority, module, static _ => new(false));
    }

    // A module's status: asked for by name, by type or with all others. With its name alone it is taken.
    private static bool Text(YateMessage message, string name, string text, string details, bool misc = false, bool mine = true)
    {
        string module = message["module"] ?? "";
        if (module.Length > 0 && module != name && !(misc && module == "misc")) return false;
        message.Return += text + (message.Bool("details", true) ? details : "") + "\r\n";
        return mine && module == name;
    }

    private ValueTask<bool> EngineStatus(YateMessage message)
    {
        string module = message["module"] ?? "";
        if (module is not ("" or "engine")) return new(false);
        message.Return += $"name=engine,type=system,version={Options.Version},revision=,githash=,nodename={Options.NodeName};plugins=23,inuse=0,handlers={_handlers.Values.Sum(l => l.Count)},hooks={_clients.Count(c => c.Watches) + 1},"
            + $"messages={_queue.Count},maxqueue=8,messageage=100,messagerate=0,maxmsgrate=14,enqueued=0,dequeued=0,dispatched=0,supervised=false,runattempt=0,lastsignal=0,threads={10 + _clients.Count},workers={Math.Max(1, _busy)},"
            + "mutexes=70,semaphores=1,acceptcalls=accept,congestion=0"
            + (message.Bool("details", true) ? ";sharedpath=/usr/local/share/yate,configpath=/usr/local/conf,usercfgpath=/usr/local/run/user,modulepath=/usr/local/lib/yate,workpath=/usr/local/run" : "") + "\r\n";
        return new(module == "engine");
    }

    private void InstallCommands()
    {
        Install("engine.command", 100, "engine", static _ => new(false));
        Install("engine.command", 100, "callgen", static m =>
        {
            if (m["line"] != "callgen info") return new(false);
            m.Return = "Made 0 calls, 0 ring, 0 answered, 0 running\r\n";
            return new(true);
        });
        Install("engine.command", 100, "cdrbuild", static _ => new(false));
        Install("engine.command", 100, "rex_debug", static _ => new(false));
        Install("engine.command", 100, "extmodule", m =>
        {
            string line = m["line"] ?? "";
            if (line.StartsWith("external execute ", StringComparison.Ordinal))
            {
                // The real one runs it (README of the protocol): that is to be seen, and nothing is to be run.
                Commands.Add(line["external execute ".Length..]);
                m.Return = "External start attempt\r\n";
                return new(true);
            }

            if (line is not ("external info" or "external")) return new(false);
            m.Return = string.Concat(_clients.Select((c, i) => $"{i + 1}. glob {c.Address}\r\n\tGlobal, pid=1\r\n"));
            return new(true);
        });
    }
}
