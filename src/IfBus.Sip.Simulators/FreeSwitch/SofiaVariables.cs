namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>The variables that a SIP leg gets at each step, in the server's order (originate-sofia-*, dialplan-bridge, inbound-call).</summary>
internal static class SofiaVariables
{
    private const string Local = "127.0.0.1";
    private const int SipPort = 5060;

    /// <summary>Where the simulated profile would listen.</summary>
    public const string ProfileUrl = "sip:mod_sofia@127.0.0.1:5060";

    /// <summary>An INVITE is about to go out: what is there before the variables of the dial string.</summary>
    public static void Create(FsChannel c, SipTarget target, bool bridged)
    {
        VariableList v = c.Variables;
        if (target.Gateway.Length > 0) v.Set("sip_gateway_name", target.Gateway);
        v.Set("sip_local_network_addr", Local);
        v.Set("sip_profile_name", target.Gateway.Length > 0 ? "gateway" : target.Profile);
        v.Set("video_media_flow", "disabled");
        v.Set("text_media_flow", "disabled");
        v.Set("channel_name", c.Name);
        v.Set("sip_destination_url", "sip:" + target.Uri);
        if (bridged) v.Set("max_forwards", 69);
    }

    /// <summary>The INVITE is written.</summary>
    public static void Invite(FsChannel c, SipTarget target, int mediaPort, bool bridged)
    {
        VariableList v = c.Variables;
        v.Set("rtp_use_codec_string", bridged ? "PCMU@8000h@20i" : "PCMU,PCMA");
        Media(v, mediaPort);
        v.Set("audio_media_flow", "sendrecv");
        if (bridged) v.Set("video_media_flow", "inactive");
        v.Set("rtp_local_sdp_str", LocalSdp(mediaPort));
        v.Set("sip_outgoing_contact_uri", target.Gateway.Length > 0 ? $"<sip:gw+{target.Gateway}@127.0.0.1:{SipPort};transport=udp;gw={target.Gateway}>" : $"<{ProfileUrl}>");
        v.Set("sip_req_uri", target.Uri);
        v.Set("sip_to_host", target.Host);
        v.Set("sip_from_host", target.Gateway.Length > 0 ? target.Host : Local);
        v.Set("sofia_profile_name", target.Profile);
        v.Set("recovery_profile_name", target.Profile);
        v.Set("sofia_profile_url", ProfileUrl);
    }

    /// <summary>The far end has answered for the first time with something that is no refusal.</summary>
    public static void Respond(FsChannel c, SipTarget target, string tag, bool media)
    {
        VariableList v = c.Variables;
        (string host, string port) = target.Address;
        From(v, host, port);
        if (media) v.Set("ep_codec_string", "CORE_PCM_MODULE.PCMU@8000h@20i@64000b");
        string display = v["origination_caller_id_name"] ?? c.Profile!.CallerName;
        string number = v["origination_caller_id_number"] ?? c.Profile!.CallerNumber;
        v.Set("sip_recover_contact", $"<sip:phone@{target.Host};transport=UDP>");
        v.Set("sip_full_via", $"SIP/2.0/UDP 127.0.0.1:{SipPort};rport;branch=z9hG4bK{tag}");
        v.Set("sip_recover_via", $"SIP/2.0/UDP 127.0.0.1:{SipPort};rport;branch=z9hG4bK{tag}");
        v.Set("sip_from_display", display);
        v.Set("sip_full_from", $"\"{display}\" <sip:{number}@127.0.0.1>;tag={tag}");
        v.Set("sip_full_to", $"<sip:{target.Uri}>;tag={tag}p");
        v.Set("sip_from_user", number);
        if (target.Gateway.Length > 0) v.Set("sip_from_port", port);
        v.Set("sip_from_uri", number + "@127.0.0.1");
        v.Set("sip_from_host", Local);
        v.Set("sip_to_user", target.Number);
        v.Set("sip_to_port", port);
        v.Set("sip_to_uri", target.Uri);
        v.Set("sip_to_host", host);
        v.Set("sip_contact_params", "transport=UDP");
        v.Set("sip_contact_user", "phone");
        v.Set("sip_contact_port", port);
        v.Set("sip_contact_uri", "phone@" + target.Host);
        v.Set("sip_contact_host", host);
        v.Set("sip_to_tag", tag + "p");
        v.Set("sip_from_tag", tag);
        v.Set("sip_cseq", 123139029);
        v.Set("sip_call_id", $"{tag}-6164-1240-c5a4-b1a4e63221fd");
        if (media) v.Set("switch_r_sdp", RemoteSdp);
    }

    /// <summary>Sound flows both ways.</summary>
    public static void Talk(FsChannel c, int mediaPort)
    {
        VariableList v = c.Variables;
        v.Set("switch_r_sdp", RemoteSdp);
        v.Set("ep_codec_string", "CORE_PCM_MODULE.PCMU@8000h@20i@64000b");
        v.Set("rtp_use_codec_string", v["rtp_use_codec_string"]);
        v.Set("remote_video_media_flow", "inactive");
        v.Set("remote_text_media_flow", "inactive");
        v.Set("remote_audio_media_flow", "sendrecv");
        v.Set("rtp_audio_recv_pt", 0);
        Codecs(v);
        v.Set("dtmf_type", "rfc2833");
        Media(v, mediaPort);
        Rtp(v);
        v.Set("rtp_2833_send_payload", 101);
        v.Set("rtp_2833_recv_payload", 101);
        v.Set("remote_media_ip", Local);
        v.Set("remote_media_port", 20070);
    }

    /// <summary>The far end has refused.</summary>
    public static void Refuse(FsChannel c, SipTarget target, int status, string tag)
    {
        VariableList v = c.Variables;
        c.Profile!.NetworkAddress = Local;
        v.Set("sip_call_id", $"{tag}-6163-1240-c5a4-b1a4e63221fd");
        (string host, string port) = target.Address;
        From(v, host, port);
        v.Set("sip_hangup_disposition", "recv_refuse");
        v.Set("sip_invite_failure_status", status);
        v.Set("sip_invite_failure_phrase", Causes.Phrase(status));
        Ended(v, status, Causes.OfSipStatus(status));
    }

    /// <summary>The final SIP status of an ended leg.</summary>
    public static void Ended(VariableList v, int status, int cause)
    {
        v.Set("sip_term_status", status);
        v.Set("proto_specific_hangup_cause", $"sip:{status}");
        v.Set("sip_term_cause", Causes.Q850(cause));
    }

    /// <summary>A phone has called.</summary>
    public static void Incoming(FsChannel c, string from, string exten, string tag)
    {
        VariableList v = c.Variables;
        v.Set("sip_from_user", from);
        v.Set("sip_from_port", 5087);
        v.Set("sip_from_uri", from + "@127.0.0.1:5087");
        v.Set("sip_from_host", Local);
        v.Set("video_media_flow", "disabled");
        v.Set("text_media_flow", "disabled");
        v.Set("channel_name", c.Name);
        v.Set("sip_call_id", tag + "@127.0.0.1");
        v.Set("sip_local_network_addr", Local);
        v.Set("sip_network_ip", Local);
        v.Set("sip_network_port", 5087);
        v.Set("sip_received_ip", Local);
        v.Set("sip_received_port", 5087);
        v.Set("sip_via_protocol", "udp");
        v.Set("sip_from_user_stripped", from);
        v.Set("sip_from_tag", tag);
        v.Set("sofia_profile_name", "internal");
        v.Set("sofia_profile_url", ProfileUrl);
        v.Set("recovery_profile_name", "internal");
        v.Set("sip_full_via", $"SIP/2.0/UDP 127.0.0.1:5087;branch=z9hG4bK-{tag}");
        v.Set("sip_from_display", from);
        v.Set("sip_full_from", $"\"{from}\" <sip:{from}@127.0.0.1:5087>;tag={tag}");
        v.Set("sip_full_to", $"<sip:{exten}@127.0.0.1:{SipPort}>");
        foreach (string part in new[] { "req", "to" })
        {
            v.Set($"sip_{part}_user", exten);
            v.Set($"sip_{part}_port", SipPort);
            v.Set($"sip_{part}_uri", $"{exten}@127.0.0.1:{SipPort}");
            v.Set($"sip_{part}_host", Local);
        }

        v.Set("sip_contact_user", "uac");
        v.Set("sip_contact_port", 5087);
        v.Set("sip_contact_uri", "uac@127.0.0.1:5087");
        v.Set("sip_contact_host", Local);
        v.Set("sip_via_host", Local);
        v.Set("sip_via_port", 5087);
        v.Set("max_forwards", 70);
        v.Set("switch_r_sdp", RemoteSdp);
        v.Set("ep_codec_string", "CORE_PCM_MODULE.PCMU@8000h@20i@64000b");
        v.Set("rtp_use_codec_string", "PCMU,PCMA");
        v.Set("remote_video_media_flow", "inactive");
        v.Set("remote_text_media_flow", "inactive");
        v.Set("remote_audio_media_flow", "sendrecv");
        v.Set("audio_media_flow", "sendrecv");
        v.Set("remote_media_ip", Local);
        v.Set("remote_media_port", 20070);
        v.Set("rtp_audio_recv_pt", 0);
        Codecs(v);
        v.Set("dtmf_type", "info");
        v.Set("endpoint_disposition", "RECEIVED");
    }

    /// <summary>The server answers a phone that called.</summary>
    public static void AnswerIncoming(FsChannel c, int mediaPort, string tag)
    {
        VariableList v = c.Variables;
        v.Set("video_media_flow", "inactive");
        v.Set("text_media_flow", "inactive");
        v.Set("audio_media_flow", "sendrecv");
        v.Set("rtp_local_sdp_str", LocalSdp(mediaPort));
        v.Set("sip_to_tag", v["sip_to_tag"] ?? tag);
        Media(v, mediaPort);
        Rtp(v);
    }

    private static void From(VariableList v, string host, string port)
    {
        v.Set("sip_local_network_addr", Local);
        v.Set("sip_reply_host", host);
        v.Set("sip_reply_port", port);
        v.Set("sip_network_ip", host);
        v.Set("sip_network_port", port);
    }

    private static void Media(VariableList v, int port)
    {
        v.Set("local_media_ip", Local);
        v.Set("local_media_port", port);
        v.Set("advertised_media_ip", Local);
    }

    private static void Rtp(VariableList v)
    {
        v.Set("rtp_use_timer_name", "soft");
        v.Set("rtp_use_pt", 0);
        v.Set("rtp_use_ssrc", 2265846723);
    }

    private static void Codecs(VariableList v)
    {
        v.Set("rtp_use_codec_name", "PCMU");
        v.Set("rtp_use_codec_rate", 8000);
        v.Set("rtp_use_codec_ptime", 20);
        v.Set("rtp_use_codec_channels", 1);
        v.Set("rtp_last_audio_codec_string", "PCMU@8000h@20i@1c");
        v.Set("read_codec", "PCMU");
        v.Set("original_read_codec", "PCMU");
        v.Set("read_rate", 8000);
        v.Set("original_read_rate", 8000);
        v.Set("write_codec", "PCMU");
        v.Set("write_rate", 8000);
    }

    private const string RemoteSdp =
        "v=0\no=user1 53655765 2353687637 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 20070 RTP/AVP 0 101\na=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\n";

    private static string LocalSdp(int port) =>
        $"v=0\no=FreeSWITCH 1795365469 1795365470 IN IP4 127.0.0.1\ns=FreeSWITCH\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0 8 101 13\na=rtpmap:0 PCMU/8000\na=rtpmap:8 PCMA/8000\n"
        + "a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\na=rtpmap:13 CN/8000\na=ptime:20\na=sendrecv\n";
}

/// <summary>Whom a SIP leg calls.</summary>
/// <param name="Number">The user part.</param>
/// <param name="Host">host or host:port.</param>
/// <param name="Profile">SIP profile.</param>
/// <param name="Gateway">Gateway, or empty.</param>
internal sealed record SipTarget(string Number, string Host, string Profile, string Gateway)
{
    public string Uri => $"{Number}@{Host}";

    /// <summary>Host and port.</summary>
    public (string Host, string Port) Address => Host.Split(':') is [var host, var port] ? (host, port) : (Host, "5060");
}
