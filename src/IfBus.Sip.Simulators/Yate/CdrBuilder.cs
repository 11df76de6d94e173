using System.Globalization;

namespace IfBus.Sip.Simulators.Yate;

/// <summary>Makes call.cdr from the messages of each leg: one record a leg, told anew with every change.</summary>
internal sealed class CdrBuilder(YateEngine engine)
{
    private static readonly (string Name, bool Overwrite)[] Kept = [("billid", true), ("reason", true), ("address", false), ("caller", false), ("called", false), ("calledfull", false), ("username", false)];
    private static readonly long GuardTime = 5_000_000;

    private readonly Dictionary<string, Record> _records = [];
    private readonly Dictionary<string, (long At, bool Early)> _ended = [];
    private int _made;

    private enum Step
    {
        Start,
        Route,
        Call,
        Progress,
        Ringing,
        Answer,
        Hangup,
        Update,
    }

    public void Reset()
    {
        _records.Clear();
        _ended.Clear();
        _made = 0;
    }

    public void Install()
    {
        On("chan.startup", Step.Start);
        On("call.route", Step.Route);
        On("call.execute", Step.Call);
        On("call.progress", Step.Progress);
        On("call.ringing", Step.Ringing);
        On("call.answered", Step.Answer);
        On("call.update", Step.Update);
        On("chan.hangup", Step.Hangup, 150);
        engine.Install("call.drop", 50, "cdrbuild", m => new(Drop(m)));
    }

    public void InstallStatus() => engine.Install("engine.status", 100, "cdrbuild", m =>
    {
        if (m["module"] is not (null or "" or "cdrbuild")) return new(false);
        Forget();
        string rows = string.Join(',', _records.Values.OrderBy(r => r.Number).Select(r => r.Row(engine.Now)));
        m.Return += $"name=cdrbuild,type=cdr,format=Status|Caller|Called|BillId|Duration;cdrs={_records.Count},hungup={_ended.Count}{(m.Bool("details", true) ? ";" + rows : "")}\r\n";
        // It never says that it took the question.
        return new(false);
    });

    private static string Seconds(long microseconds)
    {
        long milliseconds = (microseconds + 500) / 1000;
        return string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000}.{milliseconds % 1000:d3}");
    }

    private void On(string name, Step step, int priority = 50) => engine.Install(name, priority, "cdrbuild", m =>
    {
        Received(m, step);
        return new(false);
    });

    private bool Drop(YateMessage message)
    {
        string id = message["id"] ?? "";
        if (!id.StartsWith("cdrbuild/", StringComparison.Ordinal) || !_records.Remove(id[9..], out Record? record)) return false;
        record.Set("reason", message["reason"] ?? record["reason"] ?? "CDR dropped");
        if (record.Told) Emit(record, "finalize");
        return true;
    }

    private void Received(YateMessage message, Step step)
    {
        if (step == Step.Progress && !message.Bool("earlymedia") && !message.Bool("ringing")) return;
        bool track = step != Step.Update || message["operation"] is null or "cdrbuild";
        string id = message["id"] ?? "";
        if (!message.Bool("cdrtrack", track) || id.Length == 0) return;
        if (!_records.TryGetValue(id, out Record? record) && step is Step.Start or Step.Call or Step.Answer)
        {
            Forget();
            // A leg's end may be told before its beginning.
            bool over = _ended.TryGetValue(id, out (long At, bool Early) ended);
            if (over && ended.Early) step = Step.Hangup;
            if (over ? ended.Early : message.Bool("cdrcreate", true)) record = _records[id] = new Record(id, ++_made);
        }
        else if (record is null && step == Step.Hangup)
        {
            _ended.TryAdd(id, (engine.Now, true));
        }

        if (record is not null) Update(record, message, step);
        // Of a leg that is not known the partner still learns.
        if (step is not (Step.Ringing or Step.Progress or Step.Answer)) return;
        string other = message["peerid"] is { Length: > 0 } peer ? peer : message["targetid"] ?? "";
        if (!_records.TryGetValue(other, out Record? partner)) return;
        partner.At(step, message.Time);
        if (message["status"] is { Length: > 0 } status) partner.Status = status;
        Emit(partner, null);
    }

    private void Update(Record record, YateMessage message, Step step)
    {
        if (!record.Told) record.Write = message.Bool("cdrwrite", true);
        foreach ((string name, string value) in message)
        {
            if (value.Length == 0) continue;
            if (name == "status")
            {
                record.Status = value;
                if (value is "incoming" or "outgoing") record.Direction = value;
            }
            else if (name == "direction")
            {
                record.Direction = value;
            }
            else if (Array.Find(Kept, k => k.Name == name) is { Name: not null } kept && (kept.Overwrite || !record.Has(name)))
            {
                record.Set(name, value);
            }
        }

        record.At(step, message.Time);
        if (step != Step.Hangup)
        {
            Emit(record, null);
            return;
        }

        _records.Remove(record.Id);
        Emit(record, "finalize");
        _ended[record.Id] = (engine.Now, false);
    }

    private void Emit(Record record, string? operation)
    {
        long end = record.Hangup > 0 ? record.Hangup : engine.Now;
        if (record.Start == 0) record.Start = record.Call > 0 ? record.Call : end;
        long answer = record.Answer == 0 ? end : Math.Min(record.Answer, end);
        long ringing = record.Ringing == 0 ? answer : Math.Min(record.Ringing, answer);
        operation ??= record.Told ? "update" : "initialize";
        record.Told = true;
        YateMessage message = new("call.cdr", engine.Now) { Broadcast = true };
        message.Add("time", Seconds(record.Start)).Add("chan", record.Id).Add("cdrid", YateText.Word(record.Number)).Add("runid", YateText.Word(engine.RunId)).Add("operation", operation);
        message.Add("direction", record.Direction).Add("duration", Seconds(end - record.Start)).Add("billtime", Seconds(end - answer)).Add("ringtime", Seconds(answer - ringing)).Add("status", record.Status);
        string? external = record.Direction switch
        {
            "incoming" => record["caller"],
            "outgoing" => record["called"],
            _ => null,
        };
        if (external is not null) message.Add("external", external);
        message.Add("cdrwrite", YateText.Word(record.Write));
        foreach ((string name, string value) in record) message.Add(name, value);
        engine.Enqueue(message);
    }

    // Ends are remembered for a while, for what comes late.
    private void Forget()
    {
        long before = engine.Now - GuardTime;
        foreach ((string id, (long at, _)) in _ended)
        {
            if (at < before) _ended.Remove(id);
        }
    }

    private sealed class Record(string id, int number) : YateParams
    {
        public string Id { get; } = id;

        public int Number { get; } = number;

        public string Direction { get; set; } = "unknown";

        public string Status { get; set; } = "unknown";

        public bool Told { get; set; }

        public bool Write { get; set; } = true;

        public long Start { get; set; }

        public long Call { get; private set; }

        public long Ringing { get; private set; }

        public long Answer { get; private set; }

        public long Hangup { get; private set; }

        public void At(Step step, long time)
        {
            switch (step)
            {
                case Step.Start:
                    Start = Start > 0 ? Start : time;
                    break;
                case Step.Call:
                    Call = time;
                    break;
                case Step.Progress or Step.Ringing:
                    Ringing = Ringing > 0 ? Ringing : time;
                    break;
                case Step.Answer:
                    Answer = Answer > 0 ? Answer : time;
                    break;
                case Step.Hangup:
                    Hangup = time;
                    break;
            }
        }

        public string Row(long now) =>
            $"{Id}={Status}|{YateText.Row(this["caller"])}|{YateText.Row(this["called"])}|{YateText.Row(this["billid"])}|{(Start > 0 ? (now - Start + 500_000) / 1_000_000 : 0)}";
    }
}
