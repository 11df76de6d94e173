using System.Net;
using System.Text.RegularExpressions;
using IfBus.Sip.Adapters;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>
/// One hostile value at a time, in every parameter that takes a text, through the adapter: the server is told exactly the
/// actions that were meant, with the value where it belongs, or nothing at all, and the error names parameter and value.
/// </summary>
public sealed partial class HostileParameterTests : IAsyncLifetime, IDisposable
{
    private const int Values = 250;

    private static readonly (string, string)[] CallEnd = [("Variable", "__IFBUS_CALL=if://call/<id>"), ("ChannelId", "<id>"), ("Async", "true")];

    // How a parameter is passed, what the server is to be told for a value, and the questions that may come before a refusal.
    private static readonly Dictionary<string, Case> Cases = new()
    {
        ["New-SipCall -From"] = new((a, _, v) => a.MakeCallAsync(new SipCallRequest { From = v, To = "1002" }, default), (_, v) => [Originate([("Channel", Channel(v)), .. Destination("default", "1002"), ("Timeout", "60000")])]),
        ["New-SipCall -To"] = new((a, _, v) => a.MakeCallAsync(new SipCallRequest { From = "1001", To = v }, default), (_, v) =>
            [Originate([("Channel", "PJSIP/1001"), .. v.Contains('/', StringComparison.Ordinal) ? [("Application", "Dial"), ("Data", v + ",60")] : Destination("default", v), ("Timeout", "60000")])]),
        ["New-SipCall -To of one leg"] = new((a, _, v) => a.MakeCallAsync(new SipCallRequest { To = v, Application = "Wait" }, default), (_, v) => [Originate([("Channel", Channel(v)), ("Application", "Wait"), ("Timeout", "60000")])]),
        ["New-SipCall -CallerId"] = new((a, _, v) => a.MakeCallAsync(new SipCallRequest { From = "1001", To = "1002", CallerId = v }, default), (_, v) =>
            [Originate([("Channel", "PJSIP/1001"), .. Destination("default", "1002"), ("Timeout", "60000"), ("CallerID", CallerId(v))])]),
        ["New-SipCall -Context"] = new((a, _, v) => a.MakeCallAsync(new SipCallRequest { From = "1001", To = "1002", Context = v }, default), (_, v) => [Originate([("Channel", "PJSIP/1001"), .. Destination(v, "1002"), ("Timeout", "60000")])]),
        ["New-SipCall -Application"] = new((a, _, v) => a.MakeCallAsync(new SipCallRequest { To = "1001", Application = v }, default), (_, v) => [Originate([("Channel", "PJSIP/1001"), ("Application", v), ("Timeout", "60000")])]),
        ["New-SipCall -ApplicationData"] = new((a, _, v) => a.MakeCallAsync(new SipCallRequest { To = "1001", Application = "Read", ApplicationData = v }, default), (_, v) =>
            [Originate([("Channel", "PJSIP/1001"), ("Application", "Read"), ("Data", v), ("Timeout", "60000")])]),
        ["New-SipCall -Play"] = new((a, _, v) => a.MakeCallAsync(new SipCallRequest { To = "1001", Play = v }, default), (_, v) => [Originate([("Channel", "PJSIP/1001"), ("Application", "Playback"), ("Data", v), ("Timeout", "60000")])]),
        ["New-SipCall -Variable, the name"] = new((a, _, v) => a.MakeCallAsync(new SipCallRequest { From = "1001", To = "1002", Variables = [KeyValuePair.Create(v, "x")] }, default), (_, v) =>
            [Originate([("Channel", "PJSIP/1001"), .. Destination("default", "1002"), ("Timeout", "60000")], (v, "x"))]),
        ["New-SipCall -Variable, the value"] = new((a, _, v) => a.MakeCallAsync(new SipCallRequest { From = "1001", To = "1002", Variables = [KeyValuePair.Create("V", v)] }, default), (_, v) =>
            [Originate([("Channel", "PJSIP/1001"), .. Destination("default", "1002"), ("Timeout", "60000")], ("V", v))], "V={0}"),
        ["Move-SipCall -To"] = new((a, c, v) => a.TransferAsync(c.CallId, new SipTransferRequest { To = v }, default), (_, v) =>
            [[("Action", "Getvar"), ("Variable", $"DIALPLAN_EXISTS(default,{v},1)")], [("Action", "BlindTransfer"), ("Channel", RefusingManager.Other), ("Context", "default"), ("Exten", v)]]),
        ["Move-SipCall -To -Attended"] = new((a, c, v) => a.TransferAsync(c.CallId, new SipTransferRequest { To = v, Attended = true }, default), (_, v) =>
            [[("Action", "Getvar"), ("Variable", $"DIALPLAN_EXISTS(default,{v},1)")], [("Action", "Atxfer"), ("Channel", RefusingManager.Other), ("Exten", v), ("Context", "default")]]),
        ["Move-SipCall -Context"] = new((a, c, v) => a.TransferAsync(c.CallId, new SipTransferRequest { To = "1003", Context = v }, default), (_, v) =>
            [[("Action", "Getvar"), ("Variable", $"DIALPLAN_EXISTS({v},1003,1)")], [("Action", "BlindTransfer"), ("Channel", RefusingManager.Other), ("Context", v), ("Exten", "1003")]]),
        ["Move-SipCall -Context -Attended"] = new((a, c, v) => a.TransferAsync(c.CallId, new SipTransferRequest { To = "1003", Context = v, Attended = true }, default), (_, v) =>
            [[("Action", "Getvar"), ("Variable", $"DIALPLAN_EXISTS({v},1003,1)")], [("Action", "Atxfer"), ("Channel", RefusingManager.Other), ("Exten", "1003"), ("Context", v)]]),
        ["Join-SipConference -Name"] = new((a, c, v) => a.JoinConferenceAsync(c.CallId, new SipConferenceJoin { Conference = v }, default), (c, v) =>
            [[("Action", "ConfbridgeListRooms")], [("Action", "Redirect"), ("Channel", c.CallId), .. Room("", v), ("ExtraChannel", RefusingManager.Other), .. Room("Extra", v)]]),
        ["Get-SipConference -Name"] = new((a, _, v) => a.GetConferencesAsync(v, default), (_, _) => [[("Action", "ConfbridgeListRooms")]]),
        ["Set-SipConference -Name -Locked"] = new((a, _, v) => a.SetConferenceAsync(v, new SipConferenceChange { Locked = true }, default), (_, v) => [[("Action", "ConfbridgeLock"), ("Conference", v)]]),
        ["Set-SipConference -Name -Muted"] = new((a, _, v) => a.SetConferenceAsync(v, new SipConferenceChange { Muted = true }, default), (_, v) => [[("Action", "ConfbridgeMute"), ("Conference", v), ("Channel", "all")]]),
        ["Set-SipConference -Name -Kick"] = new((a, _, v) => a.SetConferenceAsync(v, new SipConferenceChange { Kick = true }, default), (_, v) => [[("Action", "ConfbridgeKick"), ("Conference", v), ("Channel", "all")]]),
        ["Set-SipConference -Name -Recording"] = new((a, _, v) => a.SetConferenceAsync(v, new SipConferenceChange { Recording = true }, default), (_, v) => [[("Action", "ConfbridgeStartRecord"), ("Conference", v)]]),
        ["Set-SipConference -Path"] = new((a, _, v) => a.SetConferenceAsync("room1", new SipConferenceChange { Recording = true, Path = v }, default), (_, v) => [[("Action", "ConfbridgeStartRecord"), ("Conference", "room1"), ("RecordFile", v)]]),
        ["Set-SipConference -Member"] = new((a, _, v) => a.SetConferenceAsync("room1", new SipConferenceChange { Kick = true, Member = v }, default), null) { Questions = [[("Action", "ConfbridgeListRooms")], [("Action", "ConfbridgeList"), ("Conference", "room1")]] },
        ["Start-SipRecording -Path"] = new((a, c, v) => a.StartRecordingAsync(c.CallId, new SipRecordingRequest { Path = v }, default), (c, v) => [[("Action", "MixMonitor"), ("Channel", c.CallId), ("File", v), ("Options", "i(IFBUS_RECORDING)")]]),
        ["Send-SipDtmf -Digits"] = new((a, c, v) => a.SendDtmfAsync(c.CallId, new SipDtmfRequest { Digits = v }, default), (_, v) =>
            [[("Action", "PlayDTMF"), ("Channel", "PJSIP/1002-00000002"), ("Digit", v[..1]), ("Duration", "120")]]),
        ["Get-SipCallVariable -Name"] = new((a, c, v) => a.GetVariableAsync(c.CallId, v, SipParty.From, default), (c, v) => [[("Action", "Getvar"), ("Channel", c.CallId), ("Variable", v)]]),
        ["Set-SipCallVariable -Name"] = new((a, c, v) => a.SetVariableAsync(c.CallId, v, "x", SipParty.To, default), (_, v) => [[("Action", "Setvar"), ("Channel", RefusingManager.Other), ("Variable", v), ("Value", "x")]]),
        ["Set-SipCallVariable -Value"] = new((a, c, v) => a.SetVariableAsync(c.CallId, "V", v, SipParty.To, default), (_, v) => [[("Action", "Setvar"), ("Channel", RefusingManager.Other), ("Variable", "V"), ("Value", v)]]),
        ["Get-SipQueue -Name"] = new((a, _, v) => a.GetQueuesAsync(v, default), (_, v) => [[("Action", "QueueStatus"), ("Queue", v)]]),
        ["Invoke-SipCommand -Name"] = new((a, _, v) => a.InvokeCommandAsync(new SipCommandRequest(v, []), default), (_, v) => [[("Action", v)]]),
        ["Invoke-SipCommand -Field, a name"] = new((a, _, v) => a.InvokeCommandAsync(new SipCommandRequest("Frob", [KeyValuePair.Create(v, "x")]), default), (_, v) => [[("Action", "Frob"), (v, "x")]]),
        ["Invoke-SipCommand -Field, a value"] = new((a, _, v) => a.InvokeCommandAsync(new SipCommandRequest("Frob", [KeyValuePair.Create("Channel", v)]), default), (_, v) => [[("Action", "Frob"), ("Channel", v)]]),
    };

    private readonly RefusingManager _manager = new();
    private ISipAdapter _adapter = null!;
    private SipCall _call = null!;

    public static TheoryData<string> Parameters() => [.. Cases.Keys];

    public async Task InitializeAsync()
    {
        _adapter = await Connected.ToAsync(SipServerType.Asterisk, _manager.Port, 20, 20, 300, new NetworkCredential("ifbus", "s"));
        _call = await _manager.CallAsync(_adapter);
    }

    public async Task DisposeAsync() => await _adapter.DisposeAsync();

    public void Dispose() => _manager.Dispose();

    [Theory]
    [MemberData(nameof(Parameters))]
    public async Task Is_where_it_belongs_or_is_refused(string parameter)
    {
        Case what = Cases[parameter];
        string name = NameOf().Match(parameter).Groups[1].Value;
        int accepted = 0, refused = 0;
        foreach (string value in HostileValues.Some(Values, seed: parameter.Length).Concat(what.Expected is null ? [] : ["A", "A.wav"]))
        {
            try
            {
                await what.Pass(_adapter, _call, value);
            }
            catch (SipArgumentException e)
            {
                refused++;
                string shown = what.Within.Replace("{0}", value, StringComparison.Ordinal);
                Assert.Equal(name, e.Parameter);
                Assert.Contains(e.Value, (string[])[value, shown]);
                Assert.StartsWith($"-{name} '{SipText.Printable(e.Value)}' is refused: {e.Rule}", e.Message, StringComparison.Ordinal);
                Assert.NotEmpty(e.Rule);
                Assert.DoesNotContain(e.Message, char.IsControl);
                List<string> asked = _manager.Take();
                Assert.Equal(asked.Count == 0 ? [] : what.Questions.Select(q => RefusingManager.Text(q)), asked);
                continue;
            }
            catch (SipException e) when (e is SipRejectedException or SipTransferException)
            {
                Assert.DoesNotContain(e.Message, char.IsControl);
            }

            accepted++;
            Assert.NotNull(what.Expected);
            Assert.Equal(what.Expected(_call, value).Select(a => RefusingManager.Text(a)), _manager.Take());
        }

        // Both ends of the test have been seen.
        Assert.InRange(refused, 1, Values + 1);
        Assert.InRange(accepted, what.Expected is null ? 0 : 1, what.Expected is null ? 0 : Values + 1);
    }

    [Fact]
    public async Task Every_digit_is_an_action_of_its_own()
    {
        await Assert.ThrowsAsync<SipRejectedException>(() => _adapter.SendDtmfAsync(_call.CallId, new SipDtmfRequest { Digits = "a1" }, default));
        Assert.Equal([RefusingManager.Text(("Action", "PlayDTMF"), ("Channel", "PJSIP/1002-00000002"), ("Digit", "A"), ("Duration", "120"))], _manager.Take());
    }

    [Fact]
    public async Task The_id_of_a_call_is_never_sent_as_it_was_given()
    {
        Func<string, Task>[] all =
        [
            id => _adapter.HangUpAsync(id, HangupCause.NormalClearing, default), id => _adapter.TransferAsync(id, new SipTransferRequest { To = "1" }, default),
            id => _adapter.TransferAsync(id, new SipTransferRequest { To = "1", Attended = true }, default), id => _adapter.CompleteTransferAsync(id, default), id => _adapter.CancelTransferAsync(id, default),
            id => _adapter.HoldAsync(id, default), id => _adapter.ResumeAsync(id, default), id => _adapter.JoinConferenceAsync(id, new SipConferenceJoin { Conference = "r" }, default),
            id => _adapter.LeaveConferenceAsync(id, default), id => _adapter.StartRecordingAsync(id, new SipRecordingRequest { Path = "a.wav" }, default), id => _adapter.StopRecordingAsync(id, null, default),
            id => _adapter.MuteRecordingAsync(id, null, true, default), id => _adapter.SendDtmfAsync(id, new SipDtmfRequest { Digits = "1" }, default), id => _adapter.AnswerAsync(id, default),
            id => _adapter.RejectAsync(id, HangupCause.UserBusy, default), id => _adapter.GetVariableAsync(id, "V", SipParty.From, default), id => _adapter.SetVariableAsync(id, "V", "x", SipParty.From, default),
            id => _adapter.WaitForCallAsync(id, [], TimeSpan.Zero, default), id => _adapter.GetCallDetailRecordsAsync(new SipDetailRecordFilter { CallId = id }, default),
        ];
        foreach (string value in HostileValues.Some(60, seed: 3).Append(_call.CallId[..^1]).Append(_call.CallId + "0"))
        {
            foreach (Func<string, Task> pass in all)
            {
                SipCallNotFoundException error = await Assert.ThrowsAsync<SipCallNotFoundException>(() => pass(value));
                Assert.Equal(value, error.CallId);
                Assert.Contains($"'{SipText.Printable(value)}'", error.Message, StringComparison.Ordinal);
                Assert.DoesNotContain(error.Message, char.IsControl);
            }
        }

        Assert.Empty(_manager.Take());
    }

    [Fact]
    public async Task The_id_of_a_recording_is_never_sent_as_it_was_given()
    {
        foreach (string value in HostileValues.Some(60, seed: 4))
        {
            SipCallStateException stop = await Assert.ThrowsAsync<SipCallStateException>(() => _adapter.StopRecordingAsync(_call.CallId, value, default));
            SipCallStateException mute = await Assert.ThrowsAsync<SipCallStateException>(() => _adapter.MuteRecordingAsync(_call.CallId, value, true, default));
            Assert.All([stop, mute], e => Assert.Contains($"'{SipText.Printable(value)}'", e.Message, StringComparison.Ordinal));
            Assert.All([stop, mute], e => Assert.DoesNotContain(e.Message, char.IsControl));
        }

        Assert.Empty(_manager.Take());
    }

    [Theory]
    [InlineData("EndpointTemplate")]
    [InlineData("Context")]
    [InlineData("Credential")]
    public async Task What_a_connection_is_made_with_is_where_it_belongs_or_is_refused(string parameter)
    {
        int accepted = 0, refused = 0;
        foreach (string value in HostileValues.Some(120, seed: parameter.Length).Append(parameter == "EndpointTemplate" ? "PJSIP/{0}@trunk" : "A"))
        {
            var configuration = new SipServerConfiguration { Type = SipServerType.Asterisk, Host = "127.0.0.1", Port = _manager.Port, Credential = new NetworkCredential("ifbus", "s") };
            if (parameter == "EndpointTemplate") configuration.EndpointTemplate = value;
            else if (parameter == "Context") configuration.Context = value;
            else configuration.Credential = new NetworkCredential(value, "s");
            try
            {
                await using ISipAdapter adapter = new SipAdapterFactory().Create(configuration, null);
                await adapter.ConnectAsync(default);
                _manager.Take();
                await Assert.ThrowsAsync<SipRejectedException>(() => adapter.MakeCallAsync(new SipCallRequest { From = "1001", To = "1002" }, default));
                accepted++;
            }
            catch (SipConfigurationException e)
            {
                refused++;
                SipConfigurationProblem problem = Assert.Single(e.Problems);
                Assert.Equal((parameter, value), (problem.Parameter, problem.Value));
                Assert.StartsWith($"The configuration cannot be used: {parameter} '{SipText.Printable(value)}': ", e.Message, StringComparison.Ordinal);
                Assert.DoesNotContain(e.Message, char.IsControl);
                continue;
            }
            catch (SipArgumentException e)
            {
                // Only the login itself can tell.
                refused++;
                Assert.Equal((parameter, value), (e.Parameter, e.Value));
                Assert.DoesNotContain(e.Message, char.IsControl);
                continue;
            }

            (string template, string context) = parameter switch { "EndpointTemplate" => (value, "default"), "Context" => ("PJSIP/{0}", value), _ => ("PJSIP/{0}", "default") };
            Assert.Equal([RefusingManager.Text(Originate([("Channel", template.Replace("{0}", "1001", StringComparison.Ordinal)), .. Destination(context, "1002"), ("Timeout", "60000")]))], _manager.Take());
            Assert.Equal(["Action", "ActionID", "AuthType", "Username", "Key", "Events"], _manager.Login.Select(h => h.Name));
            Assert.Equal(parameter == "Credential" ? value : "ifbus", _manager.Login.Find(h => h.Name == "Username").Value);
        }

        Assert.InRange(accepted, 1, 120);
        Assert.InRange(refused, 1, 120);
    }

    private static string Channel(string value) => value.Contains('/', StringComparison.Ordinal) ? value : "PJSIP/" + value;

    private static string CallerId(string value) => Named().Match(value) is { Success: true } named && named.Groups[1].Value.Trim() is { Length: > 0 } name
        ? $"\"{name.Trim('"')}\" <{named.Groups[2].Value}>"
        : value.Trim('<', '>', ' ', '\t', '\u0085', '\u2028');

    private static (string, string)[] Destination(string context, string exten) => [("Context", context), ("Exten", exten), ("Priority", "1")];

    private static (string, string)[] Room(string extra, string name) => [($"{extra}Context", "ifbus-sip"), ($"{extra}Exten", "r" + name), ($"{extra}Priority", "1")];

    private static (string, string)[] Originate((string, string)[] headers, (string Name, string Value)? variable = null) =>
        [("Action", "Originate"), .. headers, CallEnd[0], .. variable is { } v ? [("Variable", $"{v.Name}={v.Value}")] : Array.Empty<(string, string)>(), .. CallEnd[1..]];

    [GeneratedRegex("^[A-Z][a-z]+-[A-Za-z]+ -([A-Za-z]+)")]
    private static partial Regex NameOf();

    [GeneratedRegex("^([^<]*)<([^<>]*)>$")]
    private static partial Regex Named();

    /// <param name="Pass">Passes a value.</param>
    /// <param name="Expected">What the server is to be told then; null if every value is refused.</param>
    /// <param name="Within">How the error may show the value, among what was passed with it.</param>
    private sealed record Case(Func<ISipAdapter, SipCall, string, Task> Pass, Func<SipCall, string, (string, string)[][]>? Expected, string Within = "{0}")
    {
        /// <summary>What may be asked before it is refused.</summary>
        public (string, string)[][] Questions { get; init; } = [];
    }
}
