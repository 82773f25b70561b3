using Microsoft.Extensions.Configuration;

namespace Broker.Gateway.Configuration;

/// <summary>A part of the broker that follows its settings while it runs.</summary>
internal interface ISettingTarget
{
    /// <summary>What it is set by.</summary>
    IReadOnlyList<SettingSection> Sections { get; }

    /// <summary>What is wrong with a configuration, in words for operators. Nothing is changed.</summary>
    IEnumerable<string> Check(IConfiguration configuration);

    /// <summary>Takes a configuration that is right, as far as can be told without this machine's files and ports.</summary>
    /// <returns>What could not be done here: there what was before holds.</returns>
    Task<string[]> ApplyAsync(IConfiguration configuration);

    /// <summary>What holds here now, by key.</summary>
    IEnumerable<KeyValuePair<string, string?>> Describe();
}
