using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.Plugins;

/// <summary>Plugins: assemblies that add callbacks to hooks.</summary>
internal sealed class PluginOptions
{
    public const string Section = "Plugins";

    /// <summary>Where they are, each in a folder of its own name: `Folder/Name/Name.dll`. Empty is nowhere.</summary>
    public string Folder { get; set; } = "";

    /// <summary>Which of them are started, in this order; none named is all, in the order of their names.</summary>
    public string[] Enabled { get; set; } = [];

    /// <summary>What a callback of `client.authenticate` or `client.check_acl` that throws means: `deny`, or `ignore`, as if it were not there.</summary>
    [RegularExpression("deny|ignore")]
    public string FailedAction { get; set; } = "deny";
}
