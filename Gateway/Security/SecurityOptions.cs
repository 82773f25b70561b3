using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.Security;

/// <summary>Who may connect and what a client may do. Names and defaults follow EMQ X 4.x where it has them.</summary>
internal sealed class SecurityOptions
{
    public const string Section = "Security";

    /// <summary>Whether a client that no source knows may connect. Without any source everybody is such a client.</summary>
    public bool AllowAnonymous { get; set; } = true;

    /// <summary>Refuse a client without user name before any source is asked (EMQ X's `allow_anonymous = false_quick_deny`).</summary>
    public bool RequireUserName { get; set; }

    /// <summary>Names of authentication sources in the order in which they are asked; those not named come behind, unknown names do nothing.</summary>
    public string[] AuthenticationOrder { get; set; } = [];

    /// <summary>The same for sources of access rules.</summary>
    public string[] AuthorizationOrder { get; set; } = [];

    /// <summary>Whether a client may do what no source of access rules says anything about.</summary>
    [RegularExpression("allow|deny")]
    public string NoMatch { get; set; } = "allow";

    /// <summary>What a denied PUBLISH or SUBSCRIBE costs: itself (`ignore`), or the connection (`disconnect`, 0x87).</summary>
    [RegularExpression("ignore|disconnect")]
    public string DenyAction { get; set; } = "ignore";

    /// <summary>Answers of the sources of access rules that are remembered for one connection; 0 asks each time.</summary>
    [Range(0, 100_000)]
    public int AccessCacheSize { get; set; } = 32;

    /// <summary>How long such an answer holds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan AccessCacheTime { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Whether <see cref="DenyAction"/> ends the connection.</summary>
    public bool DenialDisconnects => DenyAction == "disconnect";
}
