using System.Reflection;
using System.Runtime.Loader;
using Broker.Grains.Interfaces.Plugins;

namespace Broker.Gateway.Plugins;

/// <summary>Loads one plugin apart from the broker and other plugins: with its own versions of what it uses, but for the contract and what that speaks of.</summary>
internal sealed class PluginLoadContext(string name, string assembly) : AssemblyLoadContext(name, isCollectible: true)
{
    private static readonly HashSet<string> Shared =
        [typeof(IPlugin).Assembly.GetName().Name!, .. typeof(IPlugin).Assembly.GetReferencedAssemblies().Select(one => one.Name!)];

    private readonly AssemblyDependencyResolver resolver = new(assembly);

    /// <summary>Loads an assembly from a copy in memory: who puts a newer file in the place of a mapped one ends the process.</summary>
    public Assembly LoadCopy(string path)
    {
        using var assembly = new MemoryStream(File.ReadAllBytes(path));
        var symbols = Path.ChangeExtension(path, ".pdb");
        using var debug = File.Exists(symbols) ? new MemoryStream(File.ReadAllBytes(symbols)) : null;
        return LoadFromStream(assembly, debug);
    }

    protected override Assembly? Load(AssemblyName assemblyName) =>
        !Shared.Contains(assemblyName.Name!) && resolver.ResolveAssemblyToPath(assemblyName) is { } path ? LoadCopy(path) : null;

    protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
        resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } path ? LoadUnmanagedDllFromPath(path) : nint.Zero;
}
