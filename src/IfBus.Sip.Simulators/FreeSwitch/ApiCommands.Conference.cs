using System.Globalization;
using System.Text;

namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>The conference function.</summary>
internal sealed partial class ApiCommands
{
    private void AddConference() => _slow["conference"] = (a, done) => Conference(a, done);

    private void Conference(string argument, Action<string> done)
    {
        string[] words = Words(argument, 25);
        if (words.Length == 0)
        {
            done("<conf name> list [delim <string>]|[count]\n");
            return;
        }

        // Some words are for all rooms.
        string first = words[0].ToLowerInvariant();
        if (first is "list" or "json_list" or "xml_list" or "count")
        {
            done(Overview(first, [.. words.Skip(1)]));
            return;
        }

        string command = words.Length > 1 ? words[1].ToLowerInvariant() : "";
        if (command is "dial" or "bgdial")
        {
            Dial(words, command == "bgdial", done);
            return;
        }

        done(_board.FindConference(words[0]) is { } room ? InRoom(room, command, words) : $"-ERR Conference {words[0]} not found\n");
    }

    private string Overview(string what, string[] words)
    {
        FsConference[] rooms = [.. _board.Conferences];
        switch (what)
        {
            case "json_list":
                return RoomsAsJson(rooms);
            case "xml_list":
                return RoomsAsXml(rooms);
            case "count":
                return rooms.Sum(r => r.Members.Count).ToString(CultureInfo.InvariantCulture);
            default:
                if (rooms.Length == 0) return "+OK No active conferences.\n";
                bool summary = words.Length > 0 && words[0].Is("summary");
                return string.Concat(rooms.Select(r => Title(r) + (summary ? "" : Members(r, Delimiter(words)))));
        }
    }

    private string InRoom(FsConference room, string command, string[] words)
    {
        string who = words.Length > 2 ? words[2] : "";
        switch (command)
        {
            case "list":
                return words.Length > 2 && words[2].Is("count") ? Count(room) : Members(room, Delimiter([.. words.Skip(2)]));
            case "count":
                return Count(room);
            case "json_list":
                return RoomsAsJson([room]);
            case "xml_list":
                return RoomsAsXml([room]);
            case "get":
                return who.Is("count") ? Count(room) : who.Is("uuid") ? room.Uuid : "-ERR Invalid parameter\n";
            case "lock" or "unlock":
                room.Locked = command == "lock";
                _board.TellConference(room, command, "conference_api.c", $"conference_api_sub_{command}", room.Locked ? 3474 : 3496);
                return $"+OK {room.Name} {command}ed\n";
            case "mute":
                return Each(room, who, m => Change(room, m, "mute", 339, () => m.Speaks = false));
            case "unmute":
                return Each(room, who, m => Change(room, m, "unmute", 492, () => m.Speaks = true));
            case "deaf":
                return Each(room, who, m => Change(room, m, "deaf", 790, () => m.Hears = false));
            case "undeaf":
                return Each(room, who, m => Change(room, m, "undeaf", 835, () => m.Hears = true));
            case "hold":
                return Each(room, who, m => Change(room, m, "hold", 430, () => m.OnHold = true));
            case "unhold":
                return Each(room, who, m => Change(room, m, "unhold", 380, () => m.OnHold = false));
            case "kick" or "hup":
                return Each(room, who, m =>
                {
                    bool kick = command == "kick";
                    _board.TellConference(room, kick ? "kick-member" : "hup-member", "conference_api.c", kick ? "conference_api_sub_kick" : "conference_api_sub_hup", kick ? 902 : 871, m);
                    _board.Remove(room, m);
                    return kick ? $"+OK kicked {m.Id}\n" : $"+OK hup {m.Id}\n";
                });
            case "record":
                return StartRecording(room, who);
            case "norecord":
                return StopRecording(room, who);
            case "chkrecord":
                return room.Recordings.Count > 0 ? $"+OK Record file {room.Recordings[^1]}\n" : "+OK Conference is not being recorded.\n";
            case "recording":
                string path = words.Length > 3 ? words[3] : "";
                return who.ToLowerInvariant() switch { "start" => StartRecording(room, path), "stop" => StopRecording(room, path), "pause" or "resume" => "+OK\n", _ => InRoom(room, "chkrecord", words) };
            case "dtmf":
                return Each(room, who, m => $"+OK sent {(words.Length > 3 ? words[3] : "")} to {m.Id}\n");
            case "transfer":
                return Move(room, words);
            default:
                return $"-ERR Conference command '{command}' not found.\n";
        }
    }

    private static string Count(FsConference room) => room.Members.Count.ToString(CultureInfo.InvariantCulture);

    // The newest comes first.
    private static string Each(FsConference room, string who, Func<FsMember, string> work)
    {
        if (who.Length == 0) return "-ERR Invalid input!\n";
        FsMember[] members = [.. room.Members.AsEnumerable().Reverse()];
        if (who.Is("last")) members = [.. members.Take(1)];
        else if (!who.Is("all") && !who.Is("non_moderator")) members = [.. members.Where(m => m.Id == ByteText.Number(who))];
        return members.Length == 0 && !who.Is("all") ? $"-ERR Non-Existant ID {ByteText.Number(who)}\n" : string.Concat(members.Select(work));
    }

    private string Change(FsConference room, FsMember member, string what, int line, Action change)
    {
        change();
        _board.TellConference(room, what + "-member", "conference_api.c", "conference_api_sub_" + what, line, member);
        return $"+OK {what} {member.Id}\n";
    }

    private string StartRecording(FsConference room, string path)
    {
        if (path.Length == 0) return "-ERR Invalid input!\n";
        if (room.Recordings.Contains(path)) return $"-ERR file [{path}] is already being used for recording.\n";
        room.Recordings.Add(path);
        _board.TellConference(room, "start-recording", "conference_record.c", "conference_record_thread_run", 319, after: e => e.Add("Path", path));
        return $"+OK Record file {path}\n";
    }

    // How many it says to have stopped is how many other ones there were, as recorded.
    private string StopRecording(FsConference room, string path)
    {
        string[] meant = [.. room.Recordings.Where(r => path.Is("all") || r == path)];
        if (meant.Length == 0) return path.Is("all") ? "+OK Stopped recording 0 files\n" : $"-ERR non-existant recording '{path}'\n+OK Stopped recording 0 files\n";
        var text = new StringBuilder();
        foreach (string one in meant)
        {
            room.Recordings.Remove(one);
            text.Append($"Stopped recording file {one}\n");
            _board.TellConference(
                room, "stop-recording", "conference_record.c", "conference_record_thread_run", 427,
                after: e => e.Add("Path", one).Add("Other-Recordings", room.Recordings.Count > 0).Add("Samples-Out", 8000).Add("Samplerate", 8000).Add("Milliseconds-Elapsed", 1000).Add("Record-File-Size", 16044));
        }

        return text.Append("+OK Stopped recording 0 files\n").ToString();
    }

    private string Move(FsConference room, string[] words)
    {
        if (words.Length < 4) return "-ERR Invalid input!\n";
        var text = new StringBuilder();
        foreach (string id in words.Skip(3))
        {
            if (room.Members.Find(m => $"{m.Id}" == id) is not { } member)
            {
                text.Append($"-ERR No Member {id} in conference {room.Name}.\n");
                continue;
            }

            _board.TellConference(room, "transfer", "conference_api.c", "conference_api_sub_transfer", 3116, member, e => e.Add("Old-Conference-Name", room.Name).Add("New-Conference-Name", words[2]));
            _board.Transfer(member.Channel, $"conference:{words[2]}@{room.Profile}", "inline", "default");
            text.Append($"+OK Member '{id}' sent to conference {words[2]}.\n");
        }

        return text.ToString();
    }

    private void Dial(string[] words, bool background, Action<string> done)
    {
        if (words.Length <= 2)
        {
            done("-ERR Bad Args\n");
            return;
        }

        string job = ByteText.NewId();
        string name = words[0];
        if (background) done($"+OK Job-UUID: {job}\n");
        Call(new OriginateRequest((background ? $"{{conference_bgdial_jobid={job}}}" : "{ignore_early_media=true}") + words[2], words.ElementAtOrDefault(4) ?? "", words.ElementAtOrDefault(3) ?? "", TimeSpan.FromSeconds(60), null, (leg, cause) =>
        {
            if (leg is not null) _board.FlipCallerId(leg);
            if (background) _board.TellDialled(name, job, leg, cause);
            else done($"+OK Call Requested: result: [{Causes.Name(cause)}]\n");
            if (leg is not null) _board.RunDestination(leg, $"&conference({name})", "XML", "default");
        }));
    }

    private static string Delimiter(string[] words) => words.Length > 1 && words[0].Is("delim") ? words[1] : ";";

    private static string Title(FsConference room) =>
        $"+OK Conference {room.Name} ({room.Members.Count} member{(room.Members.Count == 1 ? "" : "s")} rate: 8000{(room.Locked ? " locked" : "")} flags: {(room.Locked ? "locked|" : "")}running|answered|enforce_min|dynamic|exit_sound|enter_sound|json_status)\n";

    private static string Members(FsConference room, string delimiter) => string.Concat(room.Members.AsEnumerable().Reverse().Select(m =>
    {
        CallerProfile p = m.Channel.Profile!;
        string flags = string.Join('|', new[] { m.Hears ? "hear" : "", m.Speaks ? "speak" : "", m.OnHold ? "hold" : "", room.Floor == m ? "floor" : "" }.Where(f => f.Length > 0));
        return string.Join(delimiter, m.Id, m.Channel.Name, m.Channel.Uuid, p.CallerName, p.CallerNumber, flags, 0, 0, 100) + "\n";
    }));

    private string RoomsAsJson(FsConference[] rooms)
    {
        if (rooms.Length == 0) return "[]";
        var writer = new ByteWriter();
        string open = "[{\n";
        foreach (FsConference room in rooms)
        {
            writer.Text(open);
            open = ", {\n";
            Json(writer, 2, "conference_name", room.Name, "member_count", room.Members.Count, "ghost_count", 0, "rate", 8000, "run_time", (int)((_board.Now - room.StartedAt) / 1_000_000));
            Json(writer, 2, "conference_uuid", room.Uuid, "canvas_count", 0, "max_bw_in", 0, "force_bw_in", 0, "video_floor_packets", 0, "locked", room.Locked, "destruct", false, "wait_mod", false);
            Json(writer, 2, "audio_always", false, "running", true, "answered", true, "enforce_min", true, "bridge_to", false, "dynamic", true, "exit_sound", true, "enter_sound", true);
            Json(writer, 2, "recording", room.Recordings.Count > 0, "video_bridge", false, "video_floor_only", false, "video_rfc4579", false);
            writer.Text("\t\t\"variables\":\t{\n\t\t},\n\t\t\"members\":\t[");
            string next = "{\n";
            foreach (string path in room.Recordings)
            {
                writer.Text(next);
                next = ", {\n";
                Json(writer, 4, "type", "recording_node", "record_path", path);
                writer.Text("\t\t\t\t\"join_time\":\t0\n\t\t\t}");
            }

            foreach (FsMember member in room.Members.AsEnumerable().Reverse())
            {
                writer.Text(next);
                next = ", {\n";
                WriteMember(writer, room, member);
            }

            writer.Text("]\n\t}");
        }

        writer.Byte(']');
        return Encoding.Latin1.GetString(writer.Written);
    }

    private void WriteMember(ByteWriter writer, FsConference room, FsMember m)
    {
        CallerProfile p = m.Channel.Profile!;
        Json(writer, 4, "type", "caller", "id", m.Id);
        writer.Text("\t\t\t\t\"flags\":\t{\n");
        Json(writer, 5, "can_hear", m.Hears, "can_see", true, "can_speak", m.Speaks, "hold", m.OnHold, "mute_detect", false, "talking", false, "has_video", false, "video_bridge", false);
        Json(writer, 5, "has_floor", room.Floor == m, "is_moderator", false, "end_conference", false, "mandatory_member_end_conference", false);
        writer.Text("\t\t\t\t\t\"pass_digits\":\tfalse\n\t\t\t\t},\n");
        Json(writer, 4, "uuid", m.Channel.Uuid, "caller_id_name", p.CallerName, "caller_id_number", p.CallerNumber, "join_time", (int)((_board.Now - m.JoinedAt) / 1_000_000), "last_talking", 0);
        Json(writer, 4, "energy", 100, "volume_in", 0, "volume_out", 0, "output-volume", 0);
        writer.Text("\t\t\t\t\"input-volume\":\t0\n\t\t\t}");
    }

    private string RoomsAsXml(FsConference[] rooms)
    {
        var writer = new ByteWriter();
        writer.Text("<?xml version=\"1.0\"?>\n<conferences>\n");
        foreach (FsConference room in rooms)
        {
            writer.Text($"  <conference name=\"{room.Name}\" member-count=\"{room.Members.Count}\" ghost-count=\"0\" rate=\"8000\" uuid=\"{room.Uuid}\"{(room.Locked ? " locked=\"true\"" : "")} running=\"true\" answered=\"true\" ");
            writer.Text($"enforce_min=\"true\" dynamic=\"true\" exit_sound=\"true\" enter_sound=\"true\" run_time=\"{(_board.Now - room.StartedAt) / 1_000_000}\">\n    <variables></variables>\n    <members>\n");
            foreach (FsMember m in room.Members.AsEnumerable().Reverse())
            {
                writer.Text($"      <member type=\"caller\">\n        <id>{m.Id}</id>\n        <flags>\n");
                foreach ((string flag, bool on) in new[] { ("can_hear", m.Hears), ("can_see", true), ("can_speak", m.Speaks), ("mute_detect", false), ("talking", false), ("hold", m.OnHold), ("has_floor", room.Floor == m) })
                    writer.Text($"          <{flag}>{(on ? "true" : "false")}</{flag}>\n");
                writer.Text($"        </flags>\n        <uuid>{m.Channel.Uuid}</uuid>\n        <caller_id_name>");
                writer.Encoded(m.Channel.Profile!.CallerName);
                writer.Text("</caller_id_name>\n        <caller_id_number>");
                writer.Encoded(m.Channel.Profile.CallerNumber);
                writer.Text($"</caller_id_number>\n        <join_time>{(_board.Now - m.JoinedAt) / 1_000_000}</join_time>\n      </member>\n");
            }

            writer.Text("    </members>\n  </conference>\n");
        }

        writer.Text("</conferences>\n");
        return Encoding.Latin1.GetString(writer.Written);
    }

    private static void Json(ByteWriter writer, int depth, params object[] pairs)
    {
        for (int i = 0; i < pairs.Length; i += 2)
        {
            writer.Text($"{new string('\t', depth)}\"{pairs[i]}\":\t");
            if (pairs[i + 1] is string text) writer.Quoted(text);
            else writer.Text(pairs[i + 1] is bool flag ? flag ? "true" : "false" : Convert.ToString(pairs[i + 1], CultureInfo.InvariantCulture)!);
            writer.Text(",\n");
        }
    }
}
