namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>The part of the switchboard that holds conferences and tells of them in conference::maintenance events.</summary>
internal sealed partial class Switchboard
{
    private readonly Dictionary<string, FsConference> _conferences = [];
    private int _memberIds;

    public IEnumerable<FsConference> Conferences => _conferences.Values;

    public FsConference? FindConference(string name) => _conferences.GetValueOrDefault(name);

    /// <summary>An event of a room.</summary>
    public void TellConference(FsConference room, string action, string file, string function, int line, FsMember? member = null, Action<EslEvent>? after = null)
    {
        if (!Wants("CUSTOM")) return;
        EslEvent e = Begin("CUSTOM", file, function, line, "conference::maintenance");
        AddRoom(e, room);
        if (member is not null) AddMember(e, room, member);
        e.Add("Action", action);
        after?.Invoke(e);
        Fire(e);
    }

    /// <summary>The outcome of a bgdial.</summary>
    public void TellDialled(string name, string job, FsChannel? leg, int cause)
    {
        if (!Wants("CUSTOM")) return;
        EslEvent e = Begin("CUSTOM", "mod_conference.c", "conference_outcall_run", 1708, "conference::maintenance");
        if (FindConference(name) is { } room) AddRoom(e, room);
        Fire(e.Add("Action", "bgdial-result").Add("Result", Causes.Name(cause)).Add("Job-UUID", job).Add("Peer-UUID", leg?.Uuid));
    }

    /// <summary>Puts a member out of its room; its leg goes on in the dialplan, or ends.</summary>
    public void Remove(FsConference room, FsMember member)
    {
        if (member.Channel.Applications.FirstOrDefault(a => a.Name.Is("conference")) is not { } app) return;
        Post(() => Complete(member.Channel, app));
    }

    private void JoinConference(FsChannel c, RunningApplication app)
    {
        // room[@profile][+pin][+flags{...}]
        string name = app.Data.Split('+')[0];
        string profile = name.Contains('@', StringComparison.Ordinal) ? name[(name.IndexOf('@', StringComparison.Ordinal) + 1)..] : "default";
        name = name.Split('@')[0];
        if (name.Length == 0)
        {
            Complete(c, app);
            return;
        }

        MarkAnswered(c);
        if (!_conferences.TryGetValue(name, out FsConference? room))
        {
            room = new FsConference(name, profile, Now);
            _conferences[name] = room;
            TellConference(room, "conference-create", "mod_conference.c", "conference_new", 3848);
        }

        // The lock is for legs that came in; those that were called may enter.
        if (room.Locked && (!c.Outbound || c.Variables.IsTrue("conference_enforce_security")))
        {
            Post(() => Complete(c, app));
            return;
        }

        var member = new FsMember(++_memberIds, c, Now);
        room.Members.Add(member);
        (c.Conference, c.MemberId) = (room, member.Id);
        c.Variables.Set("conference_name", name);
        c.Variables.Set("app_session_uuid", room.Uuid);
        c.Variables.Set("conference_member_id", member.Id);
        c.Variables.Set("conference_moderator", "false");
        c.Variables.Set("conference_ghost", "false");
        c.Variables.Set("conference_uuid", room.Uuid);
        app.Ending = _ => LeaveConference(c);
        TellConference(room, "add-member", "conference_member.c", "conference_member_add", 962, member);
        if (room.Floor is null) Post(() => SetFloor(room, member));
    }

    private void LeaveConference(FsChannel c)
    {
        if (c.Conference is not { } room || room.Members.Find(m => m.Channel == c) is not { } member) return;
        bool hadFloor = room.Floor == member;
        if (hadFloor) SetFloor(room, null);
        c.Conference = null;
        room.Members.Remove(member);
        if (room.Floor == member) room.Floor = null;
        TellConference(room, "del-member", "conference_member.c", "conference_member_del", 1355, member);
        if (room.Members.Count > 0)
        {
            if (hadFloor) Post(() => SetFloor(room, room.Members.LastOrDefault()));
            return;
        }

        _conferences.Remove(room.Name);
        Post(() => TellConference(room, "conference-destroy", "mod_conference.c", "conference_thread_run", 863));
    }

    private void SetFloor(FsConference room, FsMember? member)
    {
        if (room.Floor == member) return;
        // What it was is told as none (conference).
        room.Floor = member;
        if (!Wants("CUSTOM")) return;
        EslEvent e = Begin("CUSTOM", "conference_member.c", "conference_member_set_floor_holder", 1158, "conference::maintenance");
        AddRoom(e, room);
        e.Add("Action", "floor-change").Add("Old-ID", "none");
        if (member is null)
        {
            Fire(e.Add("New-ID", "none"));
            return;
        }

        AddRoom(e, room);
        AddMember(e, room, member);
        Fire(e.Add("New-ID", member.Id));
    }

    private static void AddRoom(EslEvent e, FsConference room) => e.Add("Conference-Name", room.Name).Add("Conference-Domain", "127.0.0.1").Add("Conference-Size", room.Members.Count)
        .Add("Conference-Ghosts", 0).Add("Conference-Profile-Name", room.Profile).Add("Conference-Unique-ID", room.Uuid);

    private static void AddMember(EslEvent e, FsConference room, FsMember member)
    {
        e.Add("Floor", room.Floor == member);
        AddChannel(e, member.Channel);
        e.Add("Video", false).Add("Hear", member.Hears).Add("See", true).Add("Speak", member.Speaks).Add("Talking", false).Add("Mute-Detect", false).Add("Hold", member.OnHold)
            .Add("Member-ID", member.Id).Add("Member-Type", "member").Add("Member-Ghost", false).Add("Energy-Level", 100).Add("Current-Energy", 1);
    }
}
