using System.Globalization;

namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>What the extensions of the simulated dialplan do, in every context alike.</summary>
internal static class Dialplan
{
    /// <summary>The applications of an extension; null if it does not exist.</summary>
    public static List<(string Name, string Data)>? Find(string exten, FsChannel c)
    {
        const string Tone = "tone_stream://%(1000,0,440);loops=-1";
        switch (exten)
        {
            case "1000":
                return [("answer", ""), ("echo", "")];
            case "1001":
                return [("answer", ""), ("playback", Tone)];
            case "1002":
                return [("ring_ready", ""), ("sleep", "86400000")];
            case "1003":
                return [("hangup", "USER_BUSY")];
            case "1004":
                return [("pre_answer", ""), ("playback", Tone)];
            case "1005":
                return [("answer", ""), ("sleep", "1000"), ("hangup", "NORMAL_CLEARING")];
            case "1006":
                return [("answer", ""), ("park", "")];
            case "3000":
                return [("answer", ""), ("conference", "3000@default")];
            case "" or "7777":
                return null;
            case ['2', _, _, _, _] when exten.All(char.IsAsciiDigit):
                c.Variables.Set("DP_MATCH", $"ARRAY::{exten}|:{exten[1..]}");
                return [("bridge", $"sofia/internal/{exten[1..]}@127.0.0.1:5070")];
        }

        PhoneBehaviour there = PhoneBehaviour.Of(ByteText.ToText(exten), isExtension: true);
        return there.Kind switch
        {
            PhoneKind.Application => there.Application!.Value.Name switch
            {
                "Echo" => [("answer", ""), ("echo", "")],
                "Wait" => [("answer", ""), ("sleep", "3600000")],
                "Milliwatt" => [("answer", ""), ("playback", "tone_stream://%(1000,0,1004);loops=-1")],
                "MusicOnHold" => [("answer", ""), ("playback", "local_stream://moh")],
                _ => [("answer", ""), ("playback", "demo-congrats.wav")],
            },
            PhoneKind.Unknown => null,
            PhoneKind.Ends => [("hangup", there.Cause.ToString(CultureInfo.InvariantCulture))],
            PhoneKind.Fails when there.Cause == 17 && PhoneBehaviour.Bare(exten) == exten => [("hangup", "USER_BUSY")],
            PhoneKind.Rings when PhoneBehaviour.Bare(exten) == exten => [("ring_ready", ""), ("sleep", "86400000")],
            _ => [("bridge", $"sofia/internal/{PhoneBehaviour.Bare(exten)}@127.0.0.1:5070")],
        };
    }
}
